"""An identity that a server, an outer application or an ASGI wrapper has set is seen as over HTTP."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.authentication import AuthCredentials, SimpleUser
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.protocol.wire import ERAS, headers_of, message, reply
from toolway import Settings, Toolway

WAYS = {
    "fast lane": {},
    "SDK": {"fast_lane": False},
    "whole stack": {"direct": False},
    "SDK, whole stack": {"fast_lane": False, "direct": False},
}


class Wrapper:
    """Authenticates in front of the application, as a gateway in the same process does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "user": SimpleUser("ann"), "auth": AuthCredentials(["read"])}
            scope["state"] = {"pool": "of the lifespan", "trace": "t1", "seen": []}
        await self.app(scope, receive, send)


class Counting(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Any) -> Response:
        request.state.count = getattr(request.state, "count", 0) + 1
        return await call_next(request)


def make_app(*, counting: bool) -> FastAPI:
    app = FastAPI()
    if counting:
        app.add_middleware(Counting)

    @app.get("/who", operation_id="who")
    async def who(request: Request) -> dict[str, Any]:
        state = request.state
        request.state.left_behind = True
        found = [getattr(state, "pool", None), getattr(state, "trace", None), getattr(state, "count", None)]
        return {"user": request.user.display_name, "scopes": request.auth.scopes, "state": found}

    return app


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("counting", [False, True])
@pytest.mark.parametrize("way", WAYS)
async def test_the_endpoint_sees_it_as_over_http(way: str, counting: bool, era: str) -> None:
    app = make_app(counting=counting)
    Toolway(app, settings=Settings(_env_file=None, **WAYS[way])).mount()
    assert await who(app, Wrapper(app), era) == (await plain(Wrapper(app)))


async def test_a_session_of_the_sdk_does_not_hide_the_user() -> None:
    app = make_app(counting=False)
    Toolway(app, settings=Settings(_env_file=None, stateful=True, forward_headers=["x-region"])).mount()
    async with app.router.lifespan_context(app), client_of(Wrapper(app)) as client:
        mine = {"x-region": "eu"}
        opening = {"protocolVersion": ERAS[1], "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        begun = await client.post(
            "/mcp", json=message(ERAS[1], "initialize", opening), headers={**mine, **headers_of(ERAS[1], {})}
        )
        session = {**mine, "mcp-session-id": begun.headers["mcp-session-id"]}
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await client.post("/mcp", json=note, headers={**session, **headers_of(ERAS[1], {})})
        body = message(ERAS[1], "tools/call", {"name": "who", "arguments": {}})
        response = await client.post("/mcp", json=body, headers={**session, **headers_of(ERAS[1], body)})
        assert reply(response)["result"]["structuredContent"]["user"] == "ann"


@pytest.mark.parametrize("way", WAYS)
async def test_the_middleware_of_another_application_may_set_it(way: str) -> None:
    outer, app = FastAPI(), make_app(counting=False)

    @outer.middleware("http")
    async def sign_in(request: Request, call_next: Any) -> Response:
        request.scope["user"], request.scope["auth"] = SimpleUser("bob"), AuthCredentials([])
        request.state.trace = "outer"
        return await call_next(request)

    Toolway(app, settings=Settings(_env_file=None, **WAYS[way])).mount(on=outer)
    found = await who(outer, outer)
    assert (found["user"], found["state"]) == ("bob", [None, "outer", None])


async def who(started: FastAPI, app: ASGIApp, era: str = ERAS[0]) -> dict[str, Any]:
    async with started.router.lifespan_context(started), client_of(app) as client:
        body = message(era, "tools/call", {"name": "who", "arguments": {}})
        response = await client.post("/mcp", json=body, headers=headers_of(era, body))
        result: dict[str, Any] = reply(response)["result"]["structuredContent"]
        return result


async def plain(app: ASGIApp) -> Any:
    async with client_of(app) as client:
        return (await client.get("/who")).json()


def client_of(app: ASGIApp) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost")
