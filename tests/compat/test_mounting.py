"""Mounting with `FastApiMCP`: on the application, on another one, on a router, several times."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi import routing as fastapi_routing
from fastapi.security import HTTPBearer
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests import web
from tests.compat.library import ALL, called, make_library, tools_at
from tests.servers import serving
from toolway.compat.fastapi_mcp import FastApiMCP, MigrationWarning
from toolway.errors import ConfigurationError

needs_live_inclusion = pytest.mark.skipif(
    not hasattr(fastapi_routing, "iter_route_contexts"), reason="FastAPI before 0.137 copies routes on inclusion"
)
needs_copied_inclusion = pytest.mark.skipif(
    hasattr(fastapi_routing, "iter_route_contexts"), reason="since FastAPI 0.137 a router is included as it is"
)
pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore:only this machine")]


async def test_the_default_path_is_mcp() -> None:
    app = make_library()
    assert FastApiMCP(app).mount_http() is None
    assert set(await tools_at(app)) == ALL


@pytest.mark.parametrize("path", ["agents/mcp", "/agents/mcp", "/agents/mcp/"])
async def test_leading_and_trailing_slashes_of_a_path_are_optional(path: str) -> None:
    app = make_library()
    FastApiMCP(app).mount_http(mount_path=path)
    assert set(await tools_at(app, "/agents/mcp")) == ALL


@pytest.mark.parametrize(("method", "path"), [("mount_sse", "/sse"), ("mount", "/mcp")])
async def test_sse_is_served_as_streamable_http_with_a_warning(method: str, path: str) -> None:
    app = make_library()
    with pytest.warns(MigrationWarning, match=rf"{method}\(\) serves Streamable HTTP"):
        getattr(FastApiMCP(app), method)()
    assert set(await tools_at(app, path)) == ALL


async def test_a_transport_other_than_sse_is_rejected() -> None:
    with pytest.raises(ValueError, match="got 'websocket'"):
        FastApiMCP(make_library()).mount(transport="websocket")  # type: ignore[arg-type]


async def test_one_instance_can_be_served_at_several_paths() -> None:
    app = make_library()
    mcp = FastApiMCP(app)
    mcp.mount_http()
    mcp.mount_http(mount_path="/again")
    assert set(await tools_at(app)) == set(await tools_at(app, "/again")) == ALL


async def test_several_instances_serve_different_operations() -> None:
    app = make_library()
    FastApiMCP(app, include_tags=["reading"]).mount_http(mount_path="/reading")
    FastApiMCP(app, include_tags=["staff"]).mount_http(mount_path="/staff")
    assert set(await tools_at(app, "/reading")) == {"list_books", "get_book"}
    assert set(await tools_at(app, "/staff")) == {"remove_book", "whoami_whoami_get"}


async def test_a_tool_that_is_filtered_out_cannot_be_called() -> None:
    app = make_library()
    FastApiMCP(app, exclude_tags=["staff"]).mount_http()
    with serving(app) as base:
        async with Client(base + "/mcp") as client:
            with pytest.raises(Exception, match="Unknown tool"):
                await client.call_tool("remove_book", {"number": 1})


async def test_another_application_serves_mcp_and_runs_the_lifespan() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        yield {"shelf": "third"}

    app = make_library(lifespan=lifespan)

    @app.get("/shelf", operation_id="shelf")
    async def shelf(request: Request) -> str:
        return request.state.shelf

    agents = FastAPI()
    FastApiMCP(app).mount_http(agents)
    assert await called(agents, "shelf") == "third"
    with serving(agents) as base:
        assert web.get(base + "/shelf").status_code == 404  # the API's own routes are not served


@pytest.mark.parametrize("included_first", [True, False])
@pytest.mark.filterwarnings(
    "ignore:.* was included before mount_http"
)  # FastAPI before 0.137 copies routes on inclusion
async def test_a_router_serves_mcp_under_its_prefix(included_first: bool) -> None:
    app = make_library()
    router = APIRouter(prefix="/for/agents")
    if included_first:
        app.include_router(router)
    FastApiMCP(app).mount_http(router)
    if not included_first:
        app.include_router(router)
    assert set(await tools_at(app, "/for/agents/mcp")) == ALL


@needs_live_inclusion
async def test_a_router_that_is_not_included_serves_nothing_and_issues_a_warning() -> None:
    app = make_library()
    router = APIRouter(prefix="/for/agents")
    FastApiMCP(app).mount_http(router)
    problem = r"/for/agents/mcp is not served .*'Library'.*include_router"
    with pytest.warns(MigrationWarning, match=problem), serving(app) as base:
        assert web.post(base + "/for/agents/mcp", json={}).status_code == 404


@needs_live_inclusion
@pytest.mark.filterwarnings("ignore:.* is not served by the application")
async def test_a_router_of_another_application_cannot_be_reached_without_its_guards() -> None:
    app, guarded = make_library(), FastAPI()
    router = APIRouter(prefix="/for/agents")
    FastApiMCP(app).mount_http(router)
    guarded.include_router(router, dependencies=[Depends(HTTPBearer())])
    guarded.mount("/api", app)
    with serving(guarded) as base:
        assert web.get(base + "/api/books").status_code == 200
        assert web.post(base + "/for/agents/mcp", json={}).status_code in {401, 403}
        assert web.post(base + "/api/for/agents/mcp", json={}).status_code == 404
        async with (
            httpx2.AsyncClient(headers={"Authorization": "Bearer x"}) as http,
            Client(streamable_http_client(base + "/for/agents/mcp", http_client=http)) as client,
        ):
            assert {tool.name for tool in (await client.list_tools()).tools} == ALL


@needs_copied_inclusion
async def test_a_router_that_was_copied_is_served_with_its_own_dependencies_and_a_warning() -> None:
    app = make_library()
    router = APIRouter(prefix="/for/agents", dependencies=[Depends(HTTPBearer())])
    app.include_router(router)
    FastApiMCP(app).mount_http(router)
    with pytest.warns(MigrationWarning, match="included before mount_http"), serving(app) as base:
        assert web.post(base + "/for/agents/mcp", json={}).status_code in {401, 403}


async def test_a_guard_of_include_router_cannot_be_bypassed() -> None:
    app = make_library()
    router = APIRouter(prefix="/for/agents")
    FastApiMCP(app).mount_http(router)
    app.include_router(router, prefix="/v1", dependencies=[Depends(HTTPBearer())])
    with serving(app) as base:
        assert web.post(base + "/v1/for/agents/mcp", json={}).status_code in {401, 403}
        assert web.post(base + "/for/agents/mcp", json={}).status_code == 404


async def test_only_applications_and_routers_can_serve_mcp() -> None:
    with pytest.raises(ConfigurationError, match="expected router to be a FastAPI application or an APIRouter"):
        FastApiMCP(make_library()).mount_http("/mcp")  # type: ignore[arg-type]


async def test_a_route_added_after_mounting_is_a_tool_after_startup() -> None:
    app = make_library()
    mcp = FastApiMCP(app)
    mcp.mount_http()
    app.get("/hours", operation_id="hours")(lambda: "9 to 5")
    mcp.setup_server()
    assert set(await tools_at(app)) == ALL | {"hours"}


async def test_a_route_added_while_it_runs_is_a_tool_after_setup_server() -> None:
    app = make_library()
    mcp = FastApiMCP(app)
    mcp.mount_http()
    with serving(app) as base:
        app.get("/hours", operation_id="hours")(lambda: "9 to 5")
        mcp.setup_server()
        async with Client(base + "/mcp") as client:
            assert "hours" in {tool.name for tool in (await client.list_tools()).tools}
            assert (await client.call_tool("hours", {})).structured_content == "9 to 5"
    assert "hours" in {tool.name for tool in mcp.tools}


async def test_default_hosts_issue_a_warning() -> None:
    with pytest.warns(MigrationWarning, match="TOOLWAY_ALLOWED_HOSTS") as caught:
        FastApiMCP(make_library()).mount_http()
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("error")
async def test_configured_hosts_issue_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLWAY_ALLOWED_HOSTS", '["127.0.0.1"]')
    app = make_library()
    FastApiMCP(app).mount_http()
    assert set(await tools_at(app)) == ALL
