"""The SDK's low-level server, calling the functions directly: no HTTP inside, no validation but Pydantic's."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, TextContent, Tool
from pydantic import TypeAdapter
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.routing import Route

from benchmarks.speed.app import EXTRA, Item, Order, add, get_item, get_mine, list_items, place_order, wait
from benchmarks.speed.servers.served import serve

ITEMS = TypeAdapter(list[Item])
ANY = {"type": "object"}
NAMES = [
    "add", "wait", "get_mine", "get_item", "list_items", "place_order", *(f"extra_{number}" for number in range(EXTRA)),
]  # fmt: skip


async def answer(name: str, arguments: dict[str, Any]) -> bytes:
    """Run one of the functions and write what it returns."""
    if name == "add":
        return to_json(await add(**arguments))
    if name == "wait":
        return to_json(await wait(**arguments))
    if name == "get_mine":
        return to_json(await get_mine(**arguments, who="nobody", opened="session"))
    if name == "get_item":
        return ITEMS.dump_json(await get_item(**arguments))
    if name == "list_items":
        return ITEMS.dump_json(await list_items())
    return (await place_order(Order.model_validate(arguments))).model_dump_json().encode()


async def call_tool(_: Any, params: CallToolRequestParams) -> CallToolResult:
    body = await answer(params.name, params.arguments or {})
    value: Any = json.loads(body)
    structured: Any = value if params.name == "place_order" else {"result": value}
    return CallToolResult(content=[TextContent(text=body.decode())], structured_content=structured)


async def list_tools(_: Any, __: Any) -> ListToolsResult:
    return ListToolsResult(tools=[Tool(name=name, input_schema=ANY) for name in NAMES])


server: Server[Any] = Server(
    "speed", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema=lambda _: None
)
manager = StreamableHTTPSessionManager(app=server, stateless=True, json_response=True)


class Endpoint:
    """The manager as an ASGI application, which a route takes as it is."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await manager.handle_request(scope, receive, send)


@asynccontextmanager
async def lifespan(_: object) -> AsyncGenerator[None]:
    async with manager.run():
        yield


serve(Starlette(routes=[Route("/mcp", endpoint=Endpoint())], lifespan=lifespan))
