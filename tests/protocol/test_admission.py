"""Middleware sees an MCP request and the requests of its tool calls one after the other, never one within the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests import web
from tests.servers import serving
from toolway import Settings, Toolway

pytestmark = pytest.mark.anyio

MODES = {
    "fast lane": {},
    "by the SDK": {"fast_lane": False},
    "whole stack": {"direct": False},
    "stateful": {"stateful": True},
}
HOLDERS: dict[str, Callable[[], Any]] = {
    "capacity limiter": lambda: anyio.CapacityLimiter(4),
    "lock": asyncio.Lock,
    "semaphore": lambda: asyncio.Semaphore(4),
}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ACCEPT = {"accept": "application/json, text/event-stream"}


class Holding:
    """Holds something while a request runs."""

    def __init__(self, app: ASGIApp, holder: Any) -> None:
        self.app = app
        self.holder = holder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        async with self.holder:
            await self.app(scope, receive, send)


def with_ping(**settings: Any) -> FastAPI:
    app = FastAPI()

    @app.get("/ping", operation_id="ping")
    async def ping() -> str:
        await asyncio.to_thread(lambda: None)
        return "pong"

    Toolway(app, settings=Settings(_env_file=None, **settings)).mount()
    return app


async def called(url: str, mode: str = "auto", tool: str = "ping") -> Any:
    async with (
        httpx2.AsyncClient(timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as mcp,
    ):
        return (await mcp.call_tool(tool, {})).content[0].text


@pytest.mark.parametrize("settings", MODES.values(), ids=MODES)
@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
async def test_a_call_needs_no_second_place_of_what_a_middleware_holds(
    holder: Callable[[], Any], settings: dict[str, Any]
) -> None:
    app = with_ping(**settings)
    app.add_middleware(Holding, holder=holder())

    with serving(app) as url:
        for mode, callers in (("auto", 8), ("auto", 32), ("legacy", 8)):
            with anyio.fail_after(60):
                results = await asyncio.gather(*(called(f"{url}/mcp", mode) for _ in range(callers)))
            assert results == ['"pong"'] * callers


class Rewriting:
    """Rewrites the path of requests to that of MCP."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.app = app
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == self.path:
            scope = {**scope, "path": "/mcp", "raw_path": b"/mcp"}
        await self.app(scope, receive, send)


async def test_a_call_at_a_rewritten_path_does_not_wait_for_a_lock_of_the_middleware() -> None:
    app = with_ping()
    app.add_middleware(Rewriting, path="/agents")
    app.add_middleware(Holding, holder=asyncio.Lock())

    with serving(app) as url, anyio.fail_after(30):
        assert await called(f"{url}/agents") == '"pong"'


async def test_other_requests_keep_their_response_and_their_scope() -> None:
    scopes: list[Scope] = []
    app = with_ping()
    app.add_middleware(Holding, holder=asyncio.Lock())

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await app(scope, receive, send)

    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=wrapped)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            assert (await client.get("/ping")).json() == "pong"
    assert "endpoint" in scopes[0]  # as tracing outside of the application expects


async def test_a_guard_dependency_that_holds_something_is_left_before_the_call() -> None:
    lock = asyncio.Lock()

    async def session() -> AsyncGenerator[None]:
        async with lock:
            yield

    app = FastAPI()
    app.get("/ping", operation_id="ping", dependencies=[Depends(session)])(lambda: "pong")
    Toolway(app).mount(dependencies=[Depends(session)])

    with serving(app) as url, anyio.fail_after(30):
        assert await called(f"{url}/mcp") == '"pong"'


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncGenerator[httpx2.AsyncClient]:
    """Run an application, and yield an HTTP client of it."""
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        web.AsyncClient(transport=transport, base_url="http://localhost", headers=ACCEPT) as client,
    ):
        yield client


def call_of(tool: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}}


async def test_each_request_passes_the_middleware_once() -> None:
    seen: list[tuple[str, int]] = []
    running = 0

    class Counting(Holding):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal running
            if scope["type"] == "http":
                running += 1
                seen.append((scope["path"], running))
            try:
                await self.app(scope, receive, send)
            finally:
                running -= scope["type"] == "http"

    app = with_ping()
    app.add_middleware(Counting, holder=None)

    async with client_of(app) as client:
        await client.post("/mcp", json=call_of("ping"))

    assert seen == [("/mcp", 1), ("/ping", 1)]


async def test_what_middleware_adds_to_a_request_and_to_its_response_arrives() -> None:
    tenant: ContextVar[str] = ContextVar("tenant", default="nobody")
    bodies: list[bytes] = []
    app = FastAPI()

    @app.get("/tenant", operation_id="tenant")
    async def read_tenant() -> str:
        return tenant.get()

    @app.middleware("http")
    async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        bodies.append(await request.body())
        response = await call_next(request)
        response.headers["x-request-id"] = "17"
        response.set_cookie("seen", "yes")
        return response

    class Tenancy(Holding):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            token = tenant.set("acme" if scope["path"] == "/mcp" else tenant.get())
            await self.app(scope, receive, send)
            tenant.reset(token)

    app.add_middleware(Tenancy, holder=None)
    Toolway(app, settings=Settings(_env_file=None)).mount()

    async with client_of(app) as client:
        response = await client.post("/mcp", json=call_of("tenant"))

    assert response.json()["result"]["content"][0]["text"] == '"acme"'
    assert (response.headers["x-request-id"], response.cookies["seen"]) == ("17", "yes")
    assert response.headers["content-length"] == str(len(response.content))
    assert b'"tools/call"' in bodies[0].replace(b" ", b"")
    assert tenant.get() == "nobody"


async def test_a_refusal_of_the_middleware_is_the_response() -> None:
    app = with_ping()

    @app.middleware("http")
    async def refuse(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if "x-badge" not in request.headers:
            return JSONResponse({"detail": "No badge"}, 401, {"www-authenticate": "Badge"})
        response = await call_next(request)
        return JSONResponse({"detail": "Too late"}, 403) if "x-late" in request.headers else response

    async with client_of(app) as client:
        before = await client.post("/mcp", json=LIST)
        after = await client.post("/mcp", json=LIST, headers={"x-badge": "1", "x-late": "1"})
        admitted = await client.post("/mcp", json=LIST, headers={"x-badge": "1"})

    assert (before.status_code, before.json(), before.headers["www-authenticate"]) == (
        401,
        {"detail": "No badge"},
        "Badge",
    )
    assert (after.status_code, after.json()) == (403, {"detail": "Too late"})
    assert [tool["name"] for tool in admitted.json()["result"]["tools"]] == ["ping"]


async def test_a_refusal_of_the_endpoint_passes_the_middleware() -> None:
    app = with_ping()

    @app.middleware("http")
    async def add_header(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["x-status"] = str(response.status_code)
        return response

    async with client_of(app) as client:
        response = await client.post("/mcp", content=b"{}", headers={"content-type": "text/plain"})

    assert (response.status_code, response.headers["x-status"]) == (415, "415")


async def test_responses_are_compressed_as_the_application_does() -> None:
    app = with_ping()
    app.add_middleware(BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request))
    app.add_middleware(GZipMiddleware, minimum_size=100)

    async with client_of(app) as client:
        response = await client.post("/mcp", json=LIST)
        plain = await client.post("/mcp", json=LIST, headers={"accept-encoding": "identity"})

    assert (response.headers["content-encoding"], response.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert "content-encoding" not in plain.headers
    assert response.json() == plain.json()


async def test_a_client_that_leaves_cancels_its_call_behind_middleware() -> None:
    began, ended = asyncio.Event(), asyncio.Event()
    app = FastAPI()
    app.add_middleware(BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request))

    @app.get("/wait", operation_id="wait")
    async def wait() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    Toolway(app, settings=Settings(_env_file=None)).mount()
    left = asyncio.Event()
    body: list[Message] = [
        {"type": "http.request", "body": httpx2.Request("POST", "http://a", json=call_of("wait")).content}
    ]

    async def receive() -> Message:
        if body:
            return body.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"accept", b"*/*")]
    scope = {
        "type": "http", "method": "POST", "path": "/mcp", "raw_path": b"/mcp", "query_string": b"", "headers": headers,
        "http_version": "1.1", "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1), "asgi": {},
    }  # fmt: skip
    async with app.router.lifespan_context(app):
        request = asyncio.create_task(app(scope, receive, send))
        with anyio.fail_after(30):
            await began.wait()
            left.set()
            await ended.wait()
            await request


async def test_a_mounted_application_is_left_together_with_the_one_around_it() -> None:
    inner = with_ping()
    outer = FastAPI(lifespan=lambda _: inner.router.lifespan_context(inner))
    outer.get("/hello", operation_id="hello")(lambda: "hello")
    outer.mount("/api", inner)
    Toolway(outer, settings=Settings(_env_file=None)).mount()
    for app in (inner, outer):
        app.add_middleware(Holding, holder=asyncio.Lock())

    with serving(outer) as url, anyio.fail_after(30):
        assert await called(f"{url}/api/mcp") == '"pong"'
        assert await called(f"{url}/mcp", tool="hello") == '"hello"'


async def test_an_application_is_left_that_mounts_the_one_with_its_tools() -> None:
    app, below = FastAPI(), FastAPI()
    app.get("/ping", operation_id="ping")(lambda: "pong")
    Toolway(app, settings=Settings(_env_file=None)).mount(on=below)
    app.mount("/below", below)
    app.add_middleware(Holding, holder=asyncio.Lock())

    async with client_of(app) as client:
        with anyio.fail_after(30):
            response = await client.post("/below/mcp", json=call_of("ping"))
    assert response.json()["result"]["content"][0]["text"] == '"pong"'


async def test_another_application_is_left_whose_router_serves_mcp() -> None:
    api, site, lock, router = FastAPI(), FastAPI(), asyncio.Lock(), APIRouter(prefix="/agents")
    api.get("/ping", operation_id="ping")(lambda: "pong")
    Toolway(api, settings=Settings(_env_file=None)).mount(on=router)
    site.include_router(router)
    for app in (api, site):
        app.add_middleware(Holding, holder=lock)

    async with client_of(site) as client:
        with anyio.fail_after(30):
            response = await client.post("/agents/mcp", json=call_of("ping"))
    assert response.json()["result"]["content"][0]["text"] == '"pong"'


async def test_a_header_that_the_middleware_sets_replaces_the_response_s_own() -> None:
    async def uncached(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["cache-control"] = "no-store"
        return response

    app = FastAPI()

    @app.get("/steps", operation_id="steps")
    async def steps() -> StreamingResponse:
        async def lines() -> AsyncGenerator[str]:
            yield "one\n"

        return StreamingResponse(lines(), media_type="text/plain")

    Toolway(app, settings=Settings(_env_file=None)).mount()
    app.add_middleware(BaseHTTPMiddleware, dispatch=uncached)
    call = call_of("steps")
    call["params"]["_meta"] = {"progressToken": 1}

    async with client_of(app) as client:
        response = await client.post("/mcp", json=call)
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers.get_list("cache-control") == ["no-store"]


async def test_the_application_is_itself_again_after_it_has_stopped() -> None:
    app = with_ping()
    app.add_middleware(Holding, holder=asyncio.Lock())

    for _ in range(2):
        async with client_of(app) as client:
            assert (await client.post("/mcp", json=LIST)).status_code == 200
    assert "Admission" not in type(app.middleware_stack).__name__


async def test_middleware_that_holds_nothing_stays_the_outermost() -> None:
    app = with_ping()
    app.add_middleware(GZipMiddleware)
    async with client_of(app) as client:
        assert (await client.post("/mcp", json=LIST)).status_code == 200
        assert "Admission" not in type(app.middleware_stack).__name__


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
@pytest.mark.parametrize("on", ["application", "guarded", "router", "other application"])
async def test_the_address_is_served_with_a_slash_at_its_end_too(path: str, on: str) -> None:
    app = FastAPI()
    app.get("/ping", operation_id="ping")(lambda: "pong")
    app.mount("/static", PlainTextResponse("a file"))
    served = FastAPI() if on == "other application" else app
    if on == "router":
        router = APIRouter()
        Toolway(app).mount(on=router)
        app.include_router(router)
    app.get("/{rest:path}", include_in_schema=False)(lambda rest: rest)
    app.mount("/", PlainTextResponse("a page"))
    if on != "router":
        Toolway(app).mount(on=served, dependencies=[Depends(lambda: None)] if on == "guarded" else [])

    async with client_of(served) as client:
        response = await client.post(path, json=LIST)

    assert response.status_code == 200, response.text
    assert [tool["name"] for tool in response.json()["result"]["tools"]] == ["ping"]


async def test_the_route_looks_like_a_route_to_other_packages() -> None:
    app = with_ping()

    @app.get("/routes", operation_id="routes")
    async def names(request: Request) -> list[str]:
        return [f"{route.endpoint.__name__}: {min(route.methods)}" for route in request.app.routes]

    async with client_of(app) as client:
        listed = (await client.get("/routes")).json()

    assert listed[:1] == ["mcp: DELETE"]
