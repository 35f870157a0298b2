"""``call_tool`` runs tools of every kind: those that ask, that become tasks, that are canceled, and over stdio."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client import ClientRequestContext
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from tests.code_mode.shop import make_shop
from tests.protocol.tasking import Client as TaskClient
from tests.protocol.tasking import make_tasking
from tests.protocol.wire import ERAS, Peer, headers_of, message
from tests.servers import PATIENCE, Serve, serving
from tests.support import ROOT
from toolway import Settings, Toolway

pytestmark = pytest.mark.anyio

by_version = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])


def indirect(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


async def give_reason(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"reason": "Ann", "ok": True})


@by_version
async def test_an_endpoint_asks_the_user(mode: str) -> None:
    app = make_shop()
    Toolway(app, catalog="search", settings=Settings(stateful=True)).mount()
    with serving(app) as url:
        async with Client(f"{url}/mcp", mode=mode, elicitation_callback=give_reason) as client:
            assert text_of(await client.call_tool("call_tool", indirect("greet"))) == '"Hello Ann"'


@by_version
async def test_tools_are_found_and_called_over_stdio(mode: str) -> None:
    arguments = ["-m", "toolway", "stdio", "tests.code_mode.shop:make_shop()", "--catalog", "search"]
    server = stdio_client(StdioServerParameters(command=sys.executable, args=arguments, cwd=ROOT))
    async with Client(server, mode=mode, elicitation_callback=give_reason) as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        assert listed[:3] == ["search_tools", "describe_tools", "call_tool"]
        found = await client.call_tool("search_tools", {"query": "cancel an order"})
        assert '"cancel_order"' in text_of(found)
        result = await client.call_tool("call_tool", indirect("get_order", order_id="o3"))
        assert '"o3"' in text_of(result)
        canceled = await client.call_tool("call_tool", indirect("cancel_order", order_id="o3"))
        assert not canceled.is_error


def test_a_call_becomes_a_task(tmp_path: Path) -> None:
    settings = Settings(store_url=f"sqlite:///{tmp_path}/tasks.db", catalog="search")
    with serving(make_tasking(settings)) as url:
        client = TaskClient(url)
        started = client.start("call_tool", **indirect("add", first=2, second=3))
        assert started["resultType"] == "task"
        ended = client.wait(started["taskId"])
        assert ended["result"]["structuredContent"] == {"sum": 5}


@pytest.mark.parametrize("version", ERAS)
def test_a_client_that_disconnects_stops_the_call(serve: Serve, version: str) -> None:
    app = make_shop()
    url = serve(Toolway(app, catalog="search").mount().app) + "/mcp"
    assert Peer(url, version).ask("tools/list")["tools"]
    call = {"name": "call_tool", "arguments": indirect("wait_for_others", calls=2)}
    body = message(version, "tools/call", call)
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(url, json=body, headers=headers_of(version, body), timeout=1)
    assert app.state.stopped.wait(PATIENCE)
