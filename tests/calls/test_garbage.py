"""What is no longer needed is freed; by a call that ends as usual, without the garbage collector."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from weakref import ref

import anyio.lowlevel
import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse
from pydantic_core import to_json
from starlette.types import Message, Scope

from tests.protocol.wire import ERAS, MODERN, headers_of, message
from toolway import Settings, Toolway

TIMES = 5


@pytest.fixture(scope="module", autouse=True)
def _nothing_old_is_looked_through() -> None:
    """What other tests have left would be counted for each of these, and takes seconds each time."""
    gc.collect()
    gc.freeze()


def make_app() -> FastAPI:
    app = FastAPI()
    app.state.watched = asyncio.Event()

    @app.get("/now", operation_id="now")
    async def now(number: int) -> dict[str, int]:
        return {"number": number}

    @app.get("/later", operation_id="later")
    async def later(number: int) -> dict[str, int]:
        await anyio.lowlevel.checkpoint()
        return {"number": number}

    @app.get("/slow", operation_id="slow")
    async def slow(number: int) -> dict[str, int]:
        await app.state.watched.wait()
        return {"number": number}

    @app.get("/own", operation_id="own")
    async def own(number: int) -> dict[str, int]:
        return JSONResponse({"number": number})  # type: ignore[return-value]

    @app.get("/guarded", operation_id="guarded", dependencies=[Depends(lambda: None)])
    async def guarded(number: int) -> dict[str, int]:
        return {"number": number}

    return app


async def fetch_number() -> int:
    return 7


async def request(app: FastAPI, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
    """Send a request as a server would, and return the answer's body."""
    path, _, query = target.partition("?")
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "scheme": "http",
        "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in {"host": "localhost", **headers}.items()],
        "client": ("127.0.0.1", 1), "server": ("localhost", 80), "state": {},
    }  # fmt: skip
    inbox: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[bytes] = []

    async def receive() -> Message:
        if inbox:
            return inbox.pop()
        app.state.watched.set()  # somebody looks whether the client has left
        return await asyncio.get_running_loop().create_future()

    async def send(event: Message) -> None:
        sent.append(event.get("body", b""))

    await app(scope, receive, send)
    return b"".join(sent)


async def left_by(work: Callable[[], Awaitable[object]]) -> float:
    """How many objects only the garbage collector can free, for each time that this is done.

    The least of some rounds, as others may leave something meanwhile, and what is loaded once stays.
    """
    return min([await _left_by(work) for _ in range(3)])


async def _left_by(work: Callable[[], Awaitable[object]]) -> float:
    gc.collect()
    gc.disable()
    try:
        for _ in range(TIMES):
            await work()
        return gc.collect() / TIMES
    finally:
        gc.enable()


@pytest.mark.parametrize("is_direct", [True, False], ids=["directly", "through the whole stack"])
@pytest.mark.parametrize("tool", ["now", "later", "slow", "own", "guarded"])
@pytest.mark.parametrize("version", ERAS)
async def test_a_call_leaves_no_more_than_the_plain_request(version: str, tool: str, is_direct: bool) -> None:
    app = make_app()
    Toolway(app, settings=Settings(_env_file=None, direct=is_direct)).mount()
    body = message(version, "tools/call", {"name": tool, "arguments": {"number": 7}})
    headers = {name.lower(): value for name, value in headers_of(version, body).items()}

    async def plainly() -> None:
        app.state.watched.set()
        assert b'{"number":7}' in await request(app, "GET", f"/{tool}?number=7", {}, b"")

    async def as_a_tool() -> None:
        app.state.watched.clear()
        assert b'"structuredContent":{"number":7}' in await request(app, "POST", "/mcp", headers, to_json(body))

    async with app.router.lifespan_context(app):
        assert await left_by(as_a_tool) <= await left_by(plainly) + 1


async def test_an_application_that_nobody_keeps_is_freed_with_its_server() -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        yield {"app": app}

    app = FastAPI(lifespan=lifespan)  # of which no endpoint knows: FastAPI keeps some endpoints for good
    app.state.watched = asyncio.Event()
    app.get("/number", operation_id="number")(fetch_number)
    Toolway(app).mount()
    body = message(MODERN, "tools/call", {"name": "number", "arguments": {}})
    headers = {name.lower(): value for name, value in headers_of(MODERN, body).items()}
    async with app.router.lifespan_context(app):
        assert b'"isError":false' in await request(app, "POST", "/mcp", headers, to_json(body))
    kept = ref(app)
    del app
    gc.collect()
    assert kept() is None
