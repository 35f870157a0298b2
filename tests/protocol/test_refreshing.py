"""Routes that come later: what `refresh` serves of them, and what it leaves alone."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tests.protocol.test_mounting import asked, running
from tests.protocol.wire import ERAS, MODERN, Peer
from tests.servers import PATIENCE, Serve
from toolway import Settings, Toolway, agent_tool
from toolway.deprecated import Log
from toolway.errors import ConfigurationError, FilterError, NotStartedError

pytestmark = pytest.mark.anyio


def make_app(**options: Any) -> FastAPI:
    """Make an application with one endpoint, and one that adds another."""
    app = FastAPI(**options)

    @app.get("/first", operation_id="first")
    async def first() -> str:
        return "first"

    return app


def add(app: FastAPI, name: str, **marks: Any) -> None:
    """Add an endpoint."""

    async def endpoint() -> str:
        return name

    app.add_api_route(f"/{name}", agent_tool(**marks)(endpoint), operation_id=name)


async def names(app: FastAPI) -> list[str]:
    """The tools that a client is told of."""
    return [tool["name"] for tool in (await asked(app)).json()["result"]["tools"]]


def override(app: FastAPI) -> None:
    """Make the document by hand, and keep it, as FastAPI's own guide has it."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = get_openapi(title="By hand", version="7", routes=app.routes)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


@pytest.mark.parametrize("overridden", [False, True])
@pytest.mark.parametrize("looked", [False, True])
async def test_routes_added_later_are_served_after_a_refresh(overridden: bool, looked: bool) -> None:
    app = make_app()
    if overridden:
        override(app)
    toolway = Toolway(app).mount()
    if looked:
        assert list(toolway.read_catalog().tools) == ["first"]
    add(app, "second")
    async with running(app):
        assert await names(app) == ["first", "second"]
        add(app, "third")
        assert await names(app) == ["first", "second"]
        toolway.refresh()
        assert await names(app) == list(toolway.catalog.tools) == ["first", "second", "third"]
        answer = await asked(app, method="tools/call", name="third", arguments={})
        assert answer.json()["result"]["structuredContent"] == "third"


async def test_routes_of_a_mounted_application_are_read_again_too() -> None:
    app, inner = make_app(), make_app()
    app.mount("/inner", inner)
    toolway = Toolway(app).mount()
    async with running(app):
        add(inner, "second")
        toolway.refresh()
        assert "second" in await names(app)


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("settings", [Settings(), Settings(fast_lane=False), Settings(stateful=True)])
def test_an_endpoint_may_refresh_while_others_are_called(serve: Serve, version: str, settings: Settings) -> None:
    app = make_app()
    entered, go_on = threading.Event(), threading.Event()

    @app.post("/grow", operation_id="grow")
    def grow() -> str:
        add(app, "second")
        toolway.refresh()
        return "grown"

    @app.get("/slow", operation_id="slow")
    def slow() -> str:
        entered.set()
        go_on.wait(PATIENCE)
        return "slow"

    toolway = Toolway(app, settings=settings).mount()
    peer = Peer(f"{serve(app)}/mcp", version)
    hello = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}, "protocolVersion": version}
    session = {}
    if settings.stateful and version < MODERN:
        session = {"mcp-session-id": peer.send("initialize", hello).headers["mcp-session-id"]}

    answers: list[Any] = []
    caller = threading.Thread(target=lambda: answers.append(peer.call("slow", headers=session, number=8)))
    caller.start()
    assert entered.wait(PATIENCE)
    peer.call("grow", headers=session, number=9)
    go_on.set()
    caller.join(PATIENCE)
    assert answers[0]["content"][0]["text"] == '"slow"'
    assert "second" in [tool["name"] for tool in peer.ask("tools/list", headers=session, number=10)["tools"]]
    assert peer.call("second", headers=session, number=11)["content"][0]["text"] == '"second"'


async def test_a_document_that_the_application_put_there_itself_stays() -> None:
    app = make_app()
    app.openapi_schema = document = get_openapi(title="Mine", version="1", routes=app.routes)
    app.openapi = lambda: app.openapi_schema  # type: ignore[method-assign,return-value]
    toolway = Toolway(app).mount()
    async with running(app):
        add(app, "second")
        toolway.refresh()
        assert await names(app) == ["first"]
        assert app.openapi_schema is document


async def test_a_refresh_that_fails_leaves_everything_as_it_was() -> None:
    app = make_app()
    toolway = Toolway(app, include={"operations": ["first"]}).mount()
    async with running(app):
        app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") != "/first"]
        app.openapi_schema = None
        with pytest.raises(FilterError):
            toolway.refresh()
        assert await names(app) == ["first"]


@pytest.mark.parametrize("version", ERAS)
def test_the_first_tool_with_messages_may_come_later(serve: Serve, version: str) -> None:
    app = make_app()
    toolway = Toolway(app).mount()
    peer = Peer(f"{serve(app)}/mcp", version)

    @app.get("/told", operation_id="told")
    async def told(log: Log) -> None:
        await log.warning("careful")

    toolway.refresh()
    assert list(toolway.catalog.tools) == ["first", "told"]
    hello = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}, "protocolVersion": version}
    modern = version >= MODERN
    capabilities = (peer.ask("server/discover") if modern else peer.ask("initialize", hello))["capabilities"]
    assert capabilities["logging"] == {}
    if not modern:
        assert peer.ask("logging/setLevel", {"level": "error"}) == {}


async def test_the_first_task_must_not_come_later(tmp_path: Path) -> None:
    """The store of tasks is opened at the start, where there are any."""
    app = make_app()
    store = tmp_path / "tasks.db"
    toolway = Toolway(app, settings=Settings(store_url=f"sqlite:///{store}")).mount()
    async with running(app):
        add(app, "second")
        toolway.refresh()
        add(app, "third", task="optional")
        with pytest.raises(ConfigurationError, match="tool 'third' runs as a task, but no task store"):
            toolway.refresh()
        assert await names(app) == ["first", "second"]
    async with running(app):
        assert await names(app) == ["first", "second", "third"]
        assert store.exists()
        add(app, "fourth", task="required")
        toolway.refresh()
        assert "fourth" in await names(app)


async def test_before_the_start_there_is_nothing_to_refresh() -> None:
    toolway = Toolway(make_app()).mount()
    toolway.refresh()
    with pytest.raises(NotStartedError):
        _ = toolway.catalog


def test_reading_the_catalogue_needs_no_start() -> None:
    def never() -> None:
        raise AssertionError("started")

    app = make_app(on_startup=[never])
    assert list(Toolway(app).read_catalog().tools) == ["first"]
