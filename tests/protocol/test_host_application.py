"""What `mount` changes in the host application, and that two applications of one process share nothing."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware

from toolway import Ask, Changes, Settings, Toolway
from toolway.mounts import toolway_of
from toolway.testing import MCPTestClient


async def pass_on(request: Any, call_next: Any) -> Any:
    return await call_next(request)


def make_app(name: str = "Shop") -> FastAPI:
    app = FastAPI(title=name)
    app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example.com"])
    app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)

    @app.post("/greet", operation_id="greet")
    async def greet(ask: Ask, changed: Changes) -> str:
        changed("shop://things")
        return name

    return app


def described(app: FastAPI) -> dict[str, Any]:
    """Everything of an application that a mount might change."""
    stack = app.middleware_stack
    layers: list[str] = []
    while stack is not None:
        layers.append(type(stack).__name__)
        stack = getattr(stack, "app", None)
    return {
        "attributes": {
            key: value.copy() if isinstance(value, dict | list) else value
            for key, value in vars(app).items()
            if key not in {"middleware_stack", "openapi_schema", "router", "state"} and key[0] != "_"
        },
        "layers": layers,
        "state": set(app.state._state),
        "routes": list(app.routes),
        "responses": [dict(getattr(route, "responses", {})) for route in app.routes],
        "router": {
            key: value
            for key, value in vars(app.router).items()
            if key not in {"routes", "lifespan_context"} and key[0] != "_"
        },
        "openapi": app.openapi(),
    }


@pytest.mark.parametrize("target", ["itself", "another application", "router"])
def test_a_mount_adds_one_route_and_one_attribute_and_wraps_the_lifespan(target: str) -> None:
    app = make_app()
    on = {"itself": None, "another application": make_app("Host"), "router": APIRouter()}[target]
    host = app if on is None else on
    app.openapi()
    if isinstance(host, FastAPI):
        before, lifespan = described(host), host.router.lifespan_context
        Toolway(app).mount(on=on)
        after = described(host)
        added = [route for route in after.pop("routes") if route not in before["routes"]]
        assert len(added) == 1
        assert after.pop("state") - before.pop("state") == {"toolway"}
        after["responses"].pop(0)
        for key in after:
            assert after[key] == before[key], key
        assert host.router.lifespan_context != lifespan
        Toolway(app).mount("/again", on=on)
    else:
        served, openapi = described(app), app.openapi()
        Toolway(app).mount(on=on)
        assert len(host.routes) == 2  # FastAPI compiles the paths of an included router again
        assert {**described(app), "state": set()} == {**served, "state": set()}
        assert app.openapi() == openapi


async def test_a_lifespan_leaves_the_middleware_as_it_was() -> None:
    app = make_app()
    toolway = Toolway(app).mount()
    declared = list(app.user_middleware)
    app.middleware_stack = app.build_middleware_stack()
    before = described(app)["layers"]
    async with MCPTestClient(toolway) as client:
        assert (await client.call_tool("greet")).is_error is False
        assert described(app)["layers"] != before
        assert app.user_middleware == declared
    assert described(app)["layers"] == before


async def test_the_path_is_served_with_and_without_a_slash_and_no_other_one() -> None:
    app = make_app()
    toolway = Toolway(app).mount("/agents/mcp")
    (route,) = [route for route in app.routes if getattr(route, "name", "") == "mcp"]
    matched = [route.path_regex.match(path) is not None for path in ("/agents/mcp", "/agents/mcp/", "/agents/mcp//")]  # type: ignore[attr-defined]
    assert matched == [True, True, False]
    async with MCPTestClient(toolway) as client:
        assert await client.list_tools()


async def test_two_applications_of_one_process_share_nothing() -> None:
    apps = [make_app("First"), make_app("Second")]
    settings = [Settings(state_seconds=10), Settings(state_seconds=20)]
    toolways = [Toolway(app, settings=given).mount() for app, given in zip(apps, settings, strict=True)]
    async with MCPTestClient(apps[0]) as first, MCPTestClient(apps[1]) as second:
        assert (await first.call_tool("greet")).structured_content == "First"
        assert (await second.call_tool("greet")).structured_content == "Second"
    assert [toolway_of(app) for app in apps] == toolways
    states = [app.state.toolway for app in apps]
    for name in ("engines", "lifespan", "listeners", "question_codec"):
        assert getattr(states[0], name) is not getattr(states[1], name), name
    assert [state.listeners for state in states] == [[], []]
