"""Endpoints are reached behind an application's middleware without its router, and nobody can tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import FunctionType
from typing import Annotated, Any, TypeAlias, cast

import anyio
import pytest
import starlette.exceptions
from fastapi import APIRouter, Cookie, Depends, FastAPI, Header, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.calls import test_direct, test_solved
from tests.calls.stack import Called, assert_calls_alike, call, client_of, frames, require_direct_calls

pytestmark = require_direct_calls


class Noting:
    """Middleware that looks at what it passed on, after it is done."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent: list[Any] = []

        async def noted(message: Message) -> None:
            sent.append({**message, "headers": list(message.get("headers", []))})
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            sent.append(repr(error))
            raise
        finally:
            if scope["type"] == "http" and scope["path"] != "/mcp":
                route = scope.get("route")
                keys = sorted(key for key in scope if "toolway" not in key)
                told = [
                    route and route.path,
                    getattr(scope.get("endpoint"), "__name__", None),
                    scope.get("path_params"),
                    keys,
                    sent,
                ]
                scope["app"].state.did.append(told)


async def stamped(request: Request, call_next: Callable[[Request], Any]) -> Response:
    request.state.started = "by middleware"
    response = await call_next(request)
    response.headers["x-stamped"] = "yes"
    return response


SHOPS: dict[str, Callable[[], FastAPI]] = {"solved": test_solved.shop, "plain": test_direct.shop}


async def assert_alike(shop: str, calls: Sequence[Called], add: Callable[[FastAPI], None]) -> None:
    """Call the tools of a shop to which something has been added, and find no difference."""

    def make() -> FastAPI:
        app = SHOPS[shop]()
        add(app)
        return app

    await assert_calls_alike(make, calls)


@pytest.mark.parametrize(("shop", "calls"), [("solved", test_solved.CALLS), ("plain", test_direct.CALLS)])
async def test_calls_behind_middleware_end_as_any_other(shop: str, calls: Sequence[Called]) -> None:
    def add(app: FastAPI) -> None:
        app.add_middleware(Noting)
        app.add_middleware(BaseHTTPMiddleware, dispatch=stamped)  # around the other
        app.add_exception_handler(Exception, lambda *_: JSONResponse({"detail": "sorry"}, 500))

    await assert_alike(shop, calls, add)


@pytest.mark.parametrize(("direct", "expected"), [(True, 0), (False, 1)])
async def test_behind_middleware_no_router_has_to_find_the_endpoint(direct: bool, expected: int) -> None:
    app = FastAPI()
    app.state.did = []
    app.add_middleware(Noting)

    @app.get("/solved", operation_id="solved")
    async def solved(request: Request) -> int:
        return frames(cast("FunctionType", APIRouter.app))  # which looks for where a request belongs

    @app.get("/plain", operation_id="plain")
    async def plain() -> int:
        return frames(cast("FunctionType", APIRouter.app))  # which looks for where a request belongs

    async with client_of(app, direct=direct) as client:
        found = [(await call(client, tool))["structuredContent"] for tool in ("solved", "plain")]
    assert found == [expected] * 2
    assert len(app.state.did) == 2


Change: TypeAlias = Callable[[Scope, Receive], tuple[Scope, Receive]]


def elsewhere(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    path = "/texts/elsewhere" if "/outer" not in scope["path"] else "/outer/inner/ordered/1/2"
    return {**scope, "path": path, "method": "GET"}, receive


def below(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    return {**scope, "root_path": "/outer"}, receive


def by_header(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    return {**scope, "headers": [*scope["headers"], (b"x-text", b"added"), (b"cookie", b"a=added")]}, receive


def by_query(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    return {**scope, "query_string": b"q=added&level=1&by=7&many=9"}, receive


def by_body(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    async def changed() -> Message:
        return {"type": "http.request", "body": b'{"line": {"sku": "changed"}, "sku": "changed"}'}

    return scope, changed


def in_pieces(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    pieces: list[bytes] = []

    async def piece() -> Message:
        if not pieces:
            pieces.extend([*(bytes([byte]) for byte in (await receive())["body"]), b""])
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    return scope, piece


def lengthened(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    more: list[Message] = []

    async def piece() -> Message:
        if more:
            return more.pop()
        more.append({"type": "http.request", "body": b"[]"})
        return {**await receive(), "more_body": True}

    return scope, piece


def gone(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    async def left() -> Message:
        return {"type": "http.disconnect"}

    return scope, left


def malformed(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    async def nothing() -> Message:
        return {}

    return scope, nothing


def without_root(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    return {key: value for key, value in scope.items() if key != "root_path"}, receive


def without_app(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    return {key: value for key, value in scope.items() if key != "app"}, receive


def by_path(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    return {**scope, "path_params": {"text": "added", "tenant": "added"}}, receive


def late(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    async def changing() -> Message:
        scope["query_string"] = b"q=late&many=5"
        scope.setdefault("path_params", {}).update(text="late", number="3")
        scope["app"].state.did.append(sorted(key for key in scope if "toolway" not in key))
        return await receive()

    return scope, changing


def by_kind(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    headers = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
    return {**scope, "headers": [*headers, (b"content-type", b"text/plain")]}, receive


def failing_with(make: Callable[[], Exception]) -> Change:
    def failing_body(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
        failures = [make()]  # a new one, as an exception holds on to all that it went through

        async def failed_at_first() -> Message:
            if failures:
                raise failures.pop()
            return await receive()

        return scope, failed_at_first

    return failing_body


ERRORS: list[Callable[[], Exception]] = [
    lambda: HTTPException(413, "too much"),
    lambda: starlette.exceptions.HTTPException(413, "too much"),
    lambda: OSError("gone"),
    lambda: json.JSONDecodeError("what is this", "body", 1),
]


class Changing:
    """Middleware that changes the requests that are for endpoints."""

    def __init__(self, app: ASGIApp, change: Change) -> None:
        self.app = app
        self.change = change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/mcp":
            scope, receive = self.change(scope, receive)
        await self.app(scope, receive, send)


CHANGED: dict[str, list[Called]] = {
    "solved": [
        ("bodies", {"number": 7, "line": {"sku": "a"}}),
        ("cleaned", {"sku": " a "}),
        ("checked", {"line": {"sku": "a"}}),
        ("raw", {"body": {"a": 1}}),
        ("changed", {"q": "sent"}),
        ("headers", {"x-text": "sent"}),
        ("whole", {"text": "a"}),
        ("refusing", {}),
        ("untyped", {}),
    ],
    "plain": [
        ("texts", {"text": "sent", "many": [1]}),
        ("lines", {"number": 7, "line": {"sku": "a"}}),
        ("lines", {"number": "seven"}),
        ("line", {"sku": "a"}),
        ("optional", {}),
        ("optional", {"sku": "a"}),
        ("ended", {"how": "refused"}),
    ],
}


@pytest.mark.parametrize(
    "change",
    [
        elsewhere,
        below,
        by_header,
        by_query,
        by_path,
        by_body,
        by_kind,
        in_pieces,
        lengthened,
        malformed,
        gone,
        without_root,
        without_app,
        late,
        *map(failing_with, ERRORS),
    ],
)
@pytest.mark.parametrize("shop", SHOPS)
async def test_what_middleware_changes_is_changed(shop: str, change: Change) -> None:
    def add(app: FastAPI) -> None:
        app.add_middleware(Changing, change=change)
        app.add_middleware(Noting)

    await assert_alike(shop, CHANGED[shop], add)


class Rewriting:
    """Middleware that does something with each message of an answer."""

    def __init__(self, app: ASGIApp, rewrite: Callable[[Message], Message]) -> None:
        self.app = app
        self.rewrite = rewrite

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def rewritten(message: Message) -> None:
            await send(self.rewrite(message))

        await self.app(scope, receive, send if scope["path"] == "/mcp" else rewritten)


def relabelled(message: Message) -> Message:
    return {**message, "headers": [(b"content-type", b"text/plain")]} if "headers" in message else message


def reworded(message: Message) -> Message:
    return {**message, "body": b"NaN"} if message.get("body") else message


def refusing_at(part: str) -> Callable[[Message], Message]:
    def refused(message: Message) -> Message:
        if message["type"] == f"http.response.{part}":
            raise HTTPException(418, "not sent")
        return message

    return refused


def breaking(message: Message) -> Message:
    raise ZeroDivisionError(message["type"])


REWRITTEN: dict[str, list[Called]] = {
    "solved": [("cookies", {}), ("refusing", {})],
    "plain": [("texts", {"text": "sent"}), ("numbers", {"many": 7000}), ("ended", {"how": "refused"})],
}


@pytest.mark.parametrize("rewrite", [relabelled, reworded, refusing_at("start"), refusing_at("body"), breaking])
@pytest.mark.parametrize("shop", SHOPS)
async def test_what_middleware_makes_of_an_answer_counts(shop: str, rewrite: Callable[[Message], Message]) -> None:
    def add(app: FastAPI) -> None:
        app.add_middleware(Rewriting, rewrite=rewrite)
        app.add_middleware(Noting)

    await assert_alike(shop, REWRITTEN[shop], add)


class Retrying:
    """Middleware that has every request done twice, and hands on the second answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/mcp":
            return await self.app(scope, receive, send)
        message = await receive()

        async def replayed() -> Message:
            return message

        async def dropped(_: Message) -> None: ...

        await self.app(dict(scope), replayed, dropped)
        return await self.app(dict(scope), replayed, send)


async def refused_outside(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"outside: {error}"}, 410)


OWN = {test_solved.RefusedError: refused_outside, RequestValidationError: refused_outside}


TREATED: dict[str, list[Called]] = {
    "solved": [
        ("grown", {"body": {"list": [0]}}),
        ("refusing", {"level": 3}),
        ("refusing", {"level": "x"}),
        ("large", {"many": 150}),
    ],
    "plain": [
        ("grown", {"body": {"list": [0]}}),
        ("lines", {"number": 7, "line": {"sku": "a"}}),
        ("lines", {"number": "x"}),
        ("numbers", {"many": 7000}),
    ],
}


@pytest.mark.parametrize(
    "middleware",
    [
        {"middleware_class": Retrying},
        {"middleware_class": ExceptionMiddleware},
        {"middleware_class": ExceptionMiddleware, "handlers": OWN},
        {"middleware_class": GZipMiddleware, "minimum_size": 3},
    ],
)
@pytest.mark.parametrize("shop", SHOPS)
async def test_middleware_of_all_kinds_makes_no_difference(shop: str, middleware: dict[str, Any]) -> None:
    def add(app: FastAPI) -> None:
        app.add_middleware(**middleware)

        @app.post("/grown", operation_id="grown")
        async def grown(body: dict[str, Any]) -> dict[str, Any]:
            body["list"].append(len(body["list"]))
            return body

    await assert_alike(shop, TREATED[shop], add)


class BrokenError(Exception):
    pass


class Receiving(Response):
    """A response that looks whether there is more to receive."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.move_on_after(0.05):
            self.body = (await receive())["type"].encode()
        self.init_headers()
        await super().__call__(scope, receive, send)


async def reads(request: Request, _: Exception) -> JSONResponse:
    return JSONResponse({"found": await request.json()})


async def reads_again(request: Request, _: Exception) -> JSONResponse:
    return JSONResponse({"gone": await request.is_disconnected(), "found": (await request.body()).decode()})


async def leaves_work(request: Request, _: Exception) -> JSONResponse:
    request.scope["fastapi_middleware_astack"].callback(request.app.state.did.append, "done")
    return JSONResponse({})


async def breaks(_: Request, error: Exception) -> JSONResponse:
    raise KeyError("another") from error


async def looks(request: Request, _: Exception) -> JSONResponse:
    body = b"none came"
    with anyio.move_on_after(0.05):
        body = await request.body()
    return JSONResponse({"found": body.decode()})


@pytest.mark.parametrize("handler", [reads, reads_again, leaves_work, breaks])
@pytest.mark.parametrize("is_behind", [False, True])
async def test_a_request_that_has_failed_has_been_read(handler: Any, is_behind: bool) -> None:
    def make() -> FastAPI:
        app = FastAPI(exception_handlers={BrokenError: handler, KeyError: looks})

        @app.post("/broken", operation_id="broken")
        async def broken(body: dict[str, Any]) -> dict[str, Any]:
            body["list"].append("changed")
            raise BrokenError

        @app.post("/received", operation_id="received")
        async def received(body: dict[str, Any]) -> Any:
            return Receiving()

        if is_behind:
            app.add_middleware(Noting)
        return app

    await assert_calls_alike(make, [("broken", {"body": {"list": []}}), ("received", {"body": {}})])


async def test_a_body_that_could_not_be_read_is_received_by_who_asks_again() -> None:
    def make() -> FastAPI:
        app = test_solved.shop()
        app.add_exception_handler(400, looks)
        app.add_middleware(Changing, change=failing_with(lambda: OSError("gone")))
        return app

    await assert_calls_alike(make, CHANGED["solved"])


@pytest.mark.parametrize("is_behind", [False, True])
async def test_what_no_argument_says_is_not_taken_from_arguments(is_behind: bool) -> None:
    def make() -> FastAPI:
        app = FastAPI()

        @app.get("/tenants", operation_id="tenants")
        async def tenants(tenant: Annotated[str, Path()]) -> str:
            return tenant

        if is_behind:
            app.add_middleware(Changing, change=by_path)
        return app

    await assert_calls_alike(make, [("tenants", {"tenant": "sent"})])


current: ContextVar[Scope] = ContextVar("current")


class Sharing:
    """Middleware that lets everybody get at the request that is running."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        current.set(scope)
        await self.app(scope, receive, send)


async def meddling() -> None:
    scope = current.get()
    scope.update(headers=[*scope["headers"], (b"x-text", b"meddled"), (b"cookie", b"a=meddled")])
    scope.update(query_string=b"q=meddled")


async def test_what_a_dependency_does_to_a_request_that_middleware_shares_counts_as_ever() -> None:
    def make() -> FastAPI:
        app = FastAPI()
        app.add_middleware(Sharing)

        @app.get("/meddled", operation_id="meddled", dependencies=[Depends(meddling)])
        async def meddled(
            q: str = "", x_text: Annotated[str, Header()] = "", a: Annotated[str, Cookie()] = ""
        ) -> list[str]:
            return [q, x_text, a]

        return app

    await assert_calls_alike(make, [("meddled", {"q": "sent"})])
