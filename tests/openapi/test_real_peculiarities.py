"""Peculiarities of real applications, each in a minimal example."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.calls.both import assert_same, both


@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")
async def test_each_method_of_a_route_under_one_operation_id_is_a_tool_of_its_own() -> None:
    """As open-webui's proxies, five methods each."""
    app = FastAPI()

    @app.api_route("/proxy/{server}/{rest:path}", methods=["GET", "POST", "DELETE"])
    async def proxy(server: str, rest: str, request: Request) -> list[str]:
        return [request.method, server, rest]

    async with both(app) as ways:
        methods = {tool.operation.method: tool.name for tool in ways.catalog.tools.values()}
        assert set(methods) == {"GET", "POST", "DELETE"}
        for method, name in methods.items():
            result = await ways.call(name, {"server": "one", "rest": "a/b"})
            assert_same(result, await ways.web.request(method, "/proxy/one/a/b"))


class LoggingIn:
    """Appends a header to every request, as Airflow's simple login for everybody does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"].append((b"authorization", b"Bearer everybody"))
        await self.app(scope, receive, send)


async def test_a_middleware_may_log_everybody_in() -> None:
    app = FastAPI()
    app.add_middleware(LoggingIn)

    @app.get("/me")
    async def me(who: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
        return who.credentials

    async with both(app) as ways:
        assert_same(await ways.call("me"), await ways.web.get("/me"))


class Stamping(APIRoute):
    """Wraps every handler, as open-webui's and many others' routes do."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def stamped(request: Request) -> Response:
            if request.query_params.get("n") == "0":
                return Response("stamped out", status_code=409, media_type="text/plain")
            return await inner(request)

        return stamped


async def test_a_route_class_has_its_say() -> None:
    app = FastAPI()
    app.router.route_class = Stamping

    @app.get("/count")
    async def count(n: int = 1) -> int:
        return n

    async with both(app) as ways:
        assert_same(await ways.call("count", {"n": 2}), await ways.web.get("/count?n=2"))
        refused = await ways.call("count", {"n": 0})
        assert refused.is_error
        assert refused.meta is not None
        assert refused.meta["toolway/error"]["status"] == 409


async def test_another_application_at_the_root_takes_nothing_away() -> None:
    """As MLflow, which mounts Flask at the root behind its own routes."""
    app = FastAPI()

    @app.get("/ours/{n}")
    async def ours(n: int) -> int:
        return n

    app.mount("/", PlainTextResponse("theirs"))

    async with both(app) as ways:
        assert list(ways.catalog.tools) == ["ours"]
        assert_same(await ways.call("ours", {"n": 3}), await ways.web.get("/ours/3"))
        assert (await ways.call("ours", {"n": "x"})).is_error
