"""`toolway.testing`: an application's tools, called by the SDK's client without a network."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from mcp_types import ElicitResult
from pydantic import BaseModel

from toolway import Ask, Settings, Toolway
from toolway.testing import MCPTestClient


class Name(BaseModel):
    name: str


def make_app(**options: Any) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, str]]:
        app.state.runs += 1
        yield {"shop": "open"}

    app = FastAPI(lifespan=lifespan)
    app.state.runs = 0

    @app.get("/add", operation_id="add")
    async def add(first: int, second: int) -> int:
        return first + second

    @app.get("/shop", operation_id="shop")
    async def shop(request: Request) -> str:
        return request.state.shop

    @app.post("/greet", operation_id="greet")
    async def greet(ask: Ask) -> str:
        return (await ask("Name?", Name)).name

    @app.get("/me", operation_id="me")
    async def me(authorization: Annotated[str | None, Header()] = None) -> str | None:
        return authorization

    return app


@pytest.mark.parametrize("fast_lane", [True, False])
@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
async def test_tools_are_listed_and_called_on_both_lanes(fast_lane: bool, mode: str) -> None:
    toolway = Toolway(make_app(), settings=Settings(fast_lane=fast_lane))
    async with MCPTestClient(toolway, mode=mode) as client:
        assert [tool.name for tool in await client.list_tools()] == ["add", "shop", "greet", "me"]
        result = await client.call_tool("add", {"first": 1, "second": 2})
        assert result.structured_content == ({"result": 3} if mode == "legacy" else 3)
        assert (await client.call_tool("add", {"first": "x", "second": 2})).is_error


async def test_the_lifespan_runs_once_each_time_and_its_state_reaches_the_endpoints() -> None:
    app = make_app()
    for runs in (1, 2):
        async with MCPTestClient(app) as client:
            assert app.state.runs == runs
            assert (await client.call_tool("shop")).structured_content == "open"


async def test_every_page_of_a_long_list_is_read() -> None:
    app = FastAPI()
    for number in range(250):
        app.get(f"/{number}", operation_id=f"tool_{number}")(lambda: None)
    async with MCPTestClient(Toolway(app, catalog="list")) as client:
        assert len(await client.list_tools()) == 250


async def test_headers_and_questions_are_those_of_the_client() -> None:
    async def answer(*_: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"name": "Ann"})

    headers = {"Authorization": "Bearer a"}
    async with MCPTestClient(make_app(), headers=headers, elicitation_callback=answer) as client:
        assert (await client.call_tool("me")).structured_content == "Bearer a"
        assert (await client.call_tool("greet")).structured_content == "Ann"


async def test_a_mounted_toolway_is_used_with_its_path_filters_hosts_and_guards() -> None:
    def guard(x_key: Annotated[str, Header()] = "") -> None:
        if x_key != "k":
            raise HTTPException(401)

    app, router = make_app(), APIRouter(prefix="/agents")
    settings = Settings(allowed_hosts=["api.example.com"])
    Toolway(app, include={"operations": ["add"]}, settings=settings).mount(
        "/tools", on=router, dependencies=[Depends(guard)]
    )
    app.include_router(router)
    async with MCPTestClient(app, headers={"x-key": "k"}) as client:
        assert [tool.name for tool in await client.list_tools()] == ["add"]


async def test_everything_else_is_done_with_the_client_of_the_sdk() -> None:
    client = MCPTestClient(make_app())
    with pytest.raises(RuntimeError, match="async with MCPTestClient"):
        _ = client.mcp
    async with client:
        assert len((await client.mcp.list_tools()).tools) == 4


async def test_a_toolway_is_a_plain_asgi_application() -> None:
    app = make_app()
    toolway = Toolway(app)
    served = toolway.asgi("/agents")
    assert isinstance(served, FastAPI)
    assert toolway.path == "/agents"
    async with MCPTestClient(toolway) as client:
        assert app.state.runs == 1
        assert (await client.call_tool("add", {"first": 1, "second": 2})).structured_content == 3
    assert all(getattr(route, "path", "") != "/agents" for route in app.routes)
