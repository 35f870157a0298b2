"""What stands around the endpoints: middleware, handlers of exceptions, and the state of a lifespan."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import starlette
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.fidelity.application import Application
from tests.fidelity.case import Case, Chapter
from tests.fidelity.journal import effect
from tests.fidelity.shared import Note
from tests.fidelity.variants.proxy import behind, movable

__all__ = ["ORIGIN", "applications"]

ORIGIN = "https://shop.example.com"
_IS_OLD = starlette.__version__.startswith("0.")
_BEARER = {"authorization": "Bearer good"}
_LOCAL = {"base_url": "http://127.0.0.1"}

Next = Callable[[Request], Awaitable[Response]]


def applications(main: Sequence[Chapter]) -> dict[str, Application]:
    """Return the applications by name; `main` are the chapters that must not notice layers which change nothing."""
    return {
        "layered": Application(
            chapters=(*map(_that_end, movable(main)), sessions),
            steps=[_gzip, _sessions, _cors, _observed, _local_hosts],
            settings=_LOCAL,
            server={"root_path": "/behind/a/proxy"},
            under=behind("/behind/a/proxy"),
            base="/behind/a/proxy",
            mcp="/behind/a/proxy/mcp",
        ),
        "changed_bodies": Application(chapters=[changed], steps=[_changing], transports=["HTTP", "stdio"]),
        "guarded": Application(chapters=[guarded], steps=[_guarding]),
        "handlers": Application(chapters=[handled], steps=[_handling]),
        "lifespan": Application(chapters=[kept], options={"lifespan": _lifespan}, transports=["HTTP", "stdio"]),
    }


def _that_end(chapter: Chapter) -> Chapter:
    """Leave endless answers out where Starlette is old: its middleware hears nothing of a client that has left."""
    kept = [case for case in chapter.cases if not (_IS_OLD and isinstance(case, Case) and case.is_endless)]
    return replace(chapter, cases=kept)


sessions = Chapter("Sessions and compression")


@sessions.router.get("/sessions/visits")
async def visits(request: Request) -> dict[str, int]:
    """A call brings no cookie along, so every one is the first."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    return {"visits": request.session["visits"]}


sessions.case("a session begins", "visits", {}, "GET /sessions/visits")
sessions.case("and is another one the next time", "visits", {}, "GET /sessions/visits")


@sessions.router.get("/compressed/{size}")
async def compressible(size: int) -> dict[str, str]:
    return {"text": "é" * size}


sessions.case("an answer worth compressing", "compressible", {"size": 5000}, "GET /compressed/5000", params={})


@sessions.router.get("/compressed-anyhow")
async def compressed_anyhow() -> Response:
    body = gzip.compress(b'{"a": 1}', mtime=0)  # without the time of day in it
    return Response(body, media_type="application/json", headers={"content-encoding": "gzip"})


sessions.case("compressed without being asked", "compressed_anyhow", {}, "GET /compressed-anyhow")


@sessions.router.get("/observed")
async def observed_header(request: Request) -> list[str | None]:
    return [request.state.observed, request.url.path, request.scope["root_path"]]


sessions.case("what a layer has left in the state", "observed_header", {}, "GET /observed")


def _gzip(app: FastAPI) -> None:
    app.add_middleware(GZipMiddleware, minimum_size=1)


def _sessions(app: FastAPI) -> None:
    app.add_middleware(SessionMiddleware, secret_key="k" * 32)


def _cors(app: FastAPI) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[ORIGIN],
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["mcp-session-id"],
    )


def _observed(app: FastAPI) -> None:
    @app.middleware("http")
    async def observe(request: Request, call_next: Next) -> Response:
        request.state.observed = "seen"
        response = await call_next(request)
        response.headers["x-observed"] = str(response.status_code)
        return response


def _local_hosts(app: FastAPI) -> None:
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1"])


changed = Chapter("Middleware that changes bodies")


@changed.router.post("/changed")
async def changed_note(note: Note) -> Note:
    effect(["got", note.title])
    return note


changed.case("a request with more than was sent", "changed_note", {"title": "t"}, "POST /changed")
changed.case(
    "a request that is refused as it was changed", "changed_note", {"title": "forbidden"}, "POST /changed",
    schema_says="cannot tell",
)  # fmt: skip


@changed.router.get("/changed/list")
async def changed_list() -> list[int]:
    return [1, 2]


changed.case("an answer that is no object", "changed_list", {}, "GET /changed/list")


@changed.router.get("/changed/stream")
async def changed_stream() -> StreamingResponse:
    return StreamingResponse(iter(["one ", "two"]), media_type="text/plain")


changed.case("a stream", "changed_stream", {}, "GET /changed/stream")


class ChangingBodies:
    """Pure ASGI middleware: adds a member to JSON requests, and another to JSON answers that are objects."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/changed"):
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more and scope["method"] == "POST":
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        sent = _with_member(body, "count", 7) if body else body
        if b"forbidden" in sent:
            sent = b'{"title": 5}'
        headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
        scope = {**scope, "headers": [*headers, (b"content-length", str(len(sent)).encode())]}
        messages: list[Message] = [{"type": "http.request", "body": sent, "more_body": False}]
        start: Message = {}

        async def changed_receive() -> Message:
            return messages.pop() if messages else await receive()

        async def changed_send(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif start:
                answer = _with_member(message.get("body", b""), "stamp", "s")
                kept = [pair for pair in start["headers"] if pair[0] != b"content-length"]
                await send({**start, "headers": kept})
                await send({**message, "body": answer})
                start = {}
            else:
                await send(message)

        await self._app(scope, changed_receive, changed_send)


def _with_member(body: bytes, name: str, value: Any) -> bytes:
    try:
        told = json.loads(body)
    except ValueError:
        return body.upper()
    return json.dumps({**told, name: value}).encode() if isinstance(told, dict) else body


def _changing(app: FastAPI) -> None:
    app.add_middleware(ChangingBodies)


guarded = Chapter("Middleware that guards")


class Guard(BaseHTTPMiddleware):
    """Lets nobody in without a token, not even to the list of tools, and some paths to nobody."""

    async def dispatch(self, request: Request, call_next: Next) -> Response:
        if request.url.path == "/journal" or request.method == "DELETE" or request.url.path == "/mcp":
            return await call_next(request)
        if request.headers.get("authorization") != "Bearer good":
            return JSONResponse({"detail": "who are you?"}, 401, {"www-authenticate": "Bearer"})
        if request.url.path.startswith("/closed"):
            return PlainTextResponse("closed for today", 403)
        if request.query_params.get("teapot"):
            raise HTTPException(418)
        return await call_next(request)


@guarded.router.get("/open/{name}")
async def open_door(name: str, teapot: bool = False) -> dict[str, str]:
    return {"name": name}


@guarded.router.get("/closed/{name}")
async def closed_door(name: str) -> dict[str, str]:
    return {"name": name}


@guarded.router.post("/open/later", status_code=202)
async def later(tasks: BackgroundTasks) -> dict[str, str]:
    tasks.add_task(effect, "later")
    return {"state": "accepted"}


guarded.case("nobody", "open_door", {"name": "a"}, "GET /open/a", params={})
guarded.case("somebody", "open_door", {"name": "a"}, "GET /open/a", params={}, credentials=_BEARER)
guarded.case("closed to everybody", "closed_door", {"name": "a"}, "GET /closed/a", params={}, credentials=_BEARER)
guarded.case("work behind it", "later", {}, "POST /open/later", credentials=_BEARER)
guarded.case(
    "an exception of its own", "open_door", {"name": "a", "teapot": True}, "GET /open/a", params={"teapot": "true"},
    credentials=_BEARER, may_fail=True,
)  # fmt: skip


def _guarding(app: FastAPI) -> None:
    app.add_middleware(Guard)


handled = Chapter("Handlers of exceptions")


class OutOfStockError(Exception):
    def __init__(self, left: int) -> None:
        self.left = left


class SoldOutError(OutOfStockError):
    pass


class Amount(BaseModel):
    amount: int


@handled.router.post("/handled/order")
async def handled_order(wanted: Amount) -> dict[str, int]:
    if wanted.amount > 100:
        raise SoldOutError(0)
    if wanted.amount > 10:
        raise OutOfStockError(10)
    if wanted.amount == 0:
        raise HTTPException(409, "nothing to do", headers={"x-reason": "zero"})
    if wanted.amount < 0:
        raise RuntimeError("secret of the shelf")
    if wanted.amount == 5:
        raise LookupError("a fifth")
    return {"ordered": wanted.amount}


handled.case("nothing raised", "handled_order", {"amount": 1}, "POST /handled/order")
handled.case(
    "an exception of the application's own", "handled_order", {"amount": 11}, "POST /handled/order", schema_says="yes"
)
handled.case("one that inherits from it", "handled_order", {"amount": 101}, "POST /handled/order", schema_says="yes")
handled.case("an HTTPException in another shape", "handled_order", {"amount": 0}, "POST /handled/order")
handled.case("a handler for everything", "handled_order", {"amount": -1}, "POST /handled/order", may_fail=True)
handled.case("a handler that makes a good answer of it", "handled_order", {"amount": 5}, "POST /handled/order")
handled.case("a refusal in another shape", "handled_order", {"amount": "many"}, "POST /handled/order", schema_says="no")


def _handling(app: FastAPI) -> None:
    @app.exception_handler(OutOfStockError)
    async def out_of_stock(request: Request, error: OutOfStockError) -> Response:
        return JSONResponse({"error": {"kind": type(error).__name__, "left": error.left}}, 422)

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> Response:
        return JSONResponse({"error": error.detail, "path": request.url.path}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return PlainTextResponse(f"{len(error.errors())} problems", 400)

    @app.exception_handler(LookupError)
    async def found_anyhow(request: Request, error: LookupError) -> Response:
        return JSONResponse({"ordered": 5, "missed": 0})

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": "our fault", "cause": str(error)}, 500)


kept = Chapter("The state of a lifespan")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
    app.state.opened = "by the lifespan"

    @app.get("/kept/added", name="added_at_start")
    async def added_at_start() -> str:
        return "added"

    yield {"shelf": {"books": 2}, "numbers": [1, 2]}


@kept.router.get("/kept")
async def kept_state(request: Request) -> list[Any]:
    return [request.state.shelf, request.state.numbers, request.app.state.opened]


@kept.router.get("/kept/own")
async def own_state(request: Request) -> bool:
    seen = hasattr(request.state, "mark")
    request.state.mark = 1
    return seen


kept.case("what the lifespan yields", "kept_state", {}, "GET /kept")
kept.case("one request's own", "own_state", {}, "GET /kept/own")
kept.case("and not the next one's", "own_state", {}, "GET /kept/own")
kept.case("an endpoint added by the lifespan", "added_at_start", {}, "GET /kept/added")
