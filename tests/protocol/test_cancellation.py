"""A client that gives up ends the endpoint's work, and nothing of it is left (P12, edges 5 and 42)."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from itertools import repeat
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from mcp import Client
from starlette.types import Send

from tests import web
from tests.protocol.clients import EVERYWHERE, connect
from tests.protocol.waiting import make_waiting, make_waiting_server
from tests.protocol.wire import ERAS, HANDSHAKES, OPTIONS, Peer, headers_of, message, reply
from tests.servers import PATIENCE, Serve, serving
from toolway import Settings, Toolway

TIMES = 200
VERSION = HANDSHAKES[-1]


@pytest.fixture
def url() -> Iterator[str]:
    with serving(make_waiting_server()) as base:
        yield f"{base}/mcp"


def disconnect(url: str, version: str, name: str, begun: int) -> None:
    """Call on a bare socket, and close that as soon as the endpoint works."""
    drop(url, version, {"name": name}, lambda: observe(url, "began", begun))


def drop(url: str, version: str, params: dict[str, Any], wait: Callable[[], object]) -> None:
    """Call on a bare socket, and close that after a wait."""
    address, body = urlsplit(url), message(version, "tools/call", params)
    headers = {"host": address.netloc, "content-length": str(len(json.dumps(body))), **headers_of(version, body)}
    lines = ["POST /mcp HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items()), "", ""]
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall("\r\n".join(lines).encode() + json.dumps(body).encode())
        wait()


def close_stream(url: str, version: str, name: str, begun: int) -> None:
    """Call with an HTTP client that closes its stream as soon as the endpoint works."""

    async def ask() -> None:
        body = message(version, "tools/call", {"name": name})
        headers = headers_of(version, body)
        async with (
            web.AsyncClient(verify=OPTIONS["verify"]) as client,
            client.stream("POST", url, json=body, headers=headers) as response,
        ):
            await response.aread()

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await anyio.to_thread.run_sync(observe, url, "began", begun)
            group.cancel_scope.cancel()

    anyio.run(run)


def observe(url: str, what: str, times: int = 1) -> dict[str, int]:
    """Wait until something has happened that often at the endpoints."""
    return Peer(url).call("observe", {"what": what, "times": times})["structuredContent"]


def left(url: str) -> dict[str, Any]:
    return Peer(url).call("left")["structuredContent"]


def assert_nothing_left(look: Callable[[], dict[str, Any]], before: dict[str, Any]) -> None:
    """Closing takes its time; what is left for good is a leak."""
    deadline = time.monotonic() + PATIENCE
    while has_more(now := look(), before):
        assert time.monotonic() < deadline, f"{now} is left where {before} was"


def has_more(now: dict[str, Any], before: dict[str, Any]) -> bool:
    return any(
        now[key] > value if isinstance(value, int) else set(now[key]) - set(value) for key, value in before.items()
    )


@pytest.mark.parametrize("leave", [disconnect, close_stream])
@pytest.mark.parametrize("version", ERAS)
def test_a_client_that_disconnects_ends_the_work_and_nothing_is_left(
    url: str, version: str, leave: Callable[[str, str, str, int], None]
) -> None:
    leave(url, version, "wait", 1)
    observe(url, "cleaned", 1)
    before = left(url)
    for number in range(2, TIMES + 2):
        leave(url, version, "wait", number)
    observe(url, "cleaned in a thread", TIMES + 1)
    counts = observe(url, "cleaned", TIMES + 1)
    assert counts == dict.fromkeys(("began", "ended", "cleaned", "cleaned in a thread"), TIMES + 1)
    assert_nothing_left(partial(left, url), before)
    assert before["calls"] == 1  # the one that looks


async def pass_on(request: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
    return await call_next(request)


async def never(*_: Any) -> Any:
    await anyio.Event().wait()


async def cancelled_outright() -> Counter[str]:
    """What happens in the application when its own work is cancelled below its middleware.

    Some releases of FastAPI cancel a clean-up over and over there, wherever it awaits.
    """
    app = make_waiting()
    app.middleware("http")(pass_on)
    scope = {"type": "http", "method": "GET", "path": "/wait", "query_string": b"", "headers": [], "root_path": ""}
    work = asyncio.create_task(app(scope, never, never))
    await anyio.to_thread.run_sync(app.state.tracker.wait, "began")
    work.cancel()
    await asyncio.wait([work])
    return app.state.tracker.counts


@pytest.mark.parametrize("version", ERAS)
def test_middleware_of_the_application_does_not_keep_the_work_alive(serve: Serve, version: str) -> None:
    app = make_waiting_server()
    app.middleware("http")(pass_on)
    expected = anyio.run(cancelled_outright)
    assert expected.keys() >= {"began", "ended", "cleaned in a thread"}
    url = serve(app) + "/mcp"
    for number in range(1, 4):
        disconnect(url, version, "wait", number)
        for what in expected:
            observe(url, what, number)


@pytest.mark.parametrize("version", ERAS)
def test_work_in_a_thread_ends_by_itself_and_holds_nothing_up(url: str, version: str) -> None:
    """What it uses is cleaned up after it, and not under its hands."""
    Peer(url, version).call("left")  # what the first call loads stays
    before = left(url)
    for number in range(1, 6):
        disconnect(url, version, "wait_in_a_thread", number)
    assert left(url)["calls"] == 6
    assert "cleaned in a thread" not in observe(url, "began", 5)
    Peer(url).call("open_gate")
    observe(url, "cleaned in a thread", 5)
    assert_nothing_left(partial(left, url), before)


@pytest.mark.parametrize("version", ERAS)
def test_nobody_cancels_somebody_elses_call_by_its_id(url: str, version: str) -> None:
    """Edge 42: without a session an id says nothing about whose call it is."""
    peer = Peer(url, version)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(peer.call, "wait_in_a_thread", number=5)
        observe(url, "began")
        for revision in ERAS:
            notice = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}}
            assert peer.post(notice, {"mcp-protocol-version": revision}).status_code == 202
        peer.call("open_gate")
        assert running.result(PATIENCE)["content"][0]["text"] == '"done"'


@asynccontextmanager
async def waiting(transport: str, mode: str) -> AsyncGenerator[Client]:
    settings = Settings(stateful=transport == "stateful http")
    async with connect(transport, mode, make_waiting, settings) as client:
        yield client


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("transport", "mode"), [pair for pair in EVERYWHERE if pair != ("http", "legacy")])
async def test_a_call_that_the_official_client_gives_up_ends_and_nothing_is_left(transport: str, mode: str) -> None:
    """On stdio and in sessions it says so with notifications/cancelled; everywhere else it closes the stream."""
    async with waiting(transport, mode) as client:

        async def give_up(number: int) -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(client.call_tool, "wait")
                await seen("began", number)
                group.cancel_scope.cancel()
            await seen("cleaned", number)

        async def seen(what: str, times: int) -> Any:
            result = await client.call_tool("observe", {"what": what, "times": times})
            assert not result.is_error, f"{what!r} did not come {times} times"
            return result.structured_content

        async def look() -> dict[str, Any]:
            found = (await client.call_tool("left")).structured_content
            return {key: found[key] for key in ("calls", "files", "threads", "tasks")}

        with anyio.fail_after(150):
            await give_up(1)
            before = await look()
            for number in range(2, TIMES + 2):
                await give_up(number)
            await seen("cleaned in a thread", TIMES + 1)
            counts = await seen("cleaned", TIMES + 1)
            assert counts == dict.fromkeys(("began", "ended", "cleaned", "cleaned in a thread"), TIMES + 1)
            while has_more(await look(), before):
                pass


async def test_a_handshake_client_without_a_session_ends_its_calls_by_leaving() -> None:
    """Its notifications/cancelled says nothing about whose call is meant; see above."""
    with serving(make_waiting_server()) as base:
        async with anyio.create_task_group() as group, Client(f"{base}/mcp", mode="legacy") as client:
            group.start_soon(client.call_tool, "wait")
            await client.call_tool("observe", {"what": "began"})
            group.cancel_scope.cancel()
        await anyio.to_thread.run_sync(observe, f"{base}/mcp", "cleaned")


def test_ending_a_session_ends_its_calls(serve: Serve) -> None:
    url = serve(make_waiting_server(Settings(stateful=True))) + "/mcp"
    hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    peer = Peer(url, VERSION)
    session = {"mcp-session-id": peer.send("initialize", hello).headers["mcp-session-id"]}
    with ThreadPoolExecutor() as pool:
        running = pool.submit(peer.send, "tools/call", {"name": "wait"}, headers=session)
        observe(url, "began")
        head = {**session, "mcp-protocol-version": VERSION}
        assert web.delete(url, headers=head).status_code == 200
        observe(url, "cleaned")
        running.result(PATIENCE)


def test_a_cancelled_call_of_a_session_is_told_so_and_others_go_on(serve: Serve) -> None:
    url = serve(make_waiting_server(Settings(stateful=True))) + "/mcp"
    hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    peer = Peer(url, VERSION)
    session = {"mcp-session-id": peer.send("initialize", hello).headers["mcp-session-id"]}
    with ThreadPoolExecutor() as pool:
        cancelled = pool.submit(peer.send, "tools/call", {"name": "wait"}, 5, session)
        kept = pool.submit(peer.send, "tools/call", {"name": "wait_in_a_thread"}, 6, session)
        observe(url, "began", 2)
        notice = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}}
        assert peer.post(notice, {"mcp-protocol-version": VERSION, **session}).status_code == 202
        observe(url, "cleaned")
        assert "error" in reply(cancelled.result(PATIENCE))
        Peer(url).call("open_gate")
        assert reply(kept.result(PATIENCE))["result"]["content"][0]["text"] == '"done"'


def make_moody() -> tuple[FastAPI, threading.Event, threading.Event]:
    """Make an endpoint that answers at once unless it is asked to wait, or to write without an end."""
    app, began, ended = FastAPI(), threading.Event(), threading.Event()

    async def wait() -> None:
        began.set()
        try:
            await anyio.Event().wait()
        finally:
            await anyio.lowlevel.checkpoint()  # a second blow would fall here
            ended.set()

    class Endless(StreamingResponse):
        async def stream_response(self, send: Send) -> None:
            try:
                await super().stream_response(send)
            finally:
                ended.set()

    @app.get("/moody")
    async def moody(mood: str = "") -> Any:
        if mood == "waiting":
            await wait()
        return Endless(repeat("and so on, "), media_type="text/plain") if mood == "writing" else {"mood": mood}

    Toolway(app, settings=Settings(_env_file=None, max_result_bytes=1000)).mount()
    return app, began, ended


@pytest.mark.parametrize("version", ERAS)
def test_a_tool_that_has_never_waited_is_stopped_when_it_waits_for_the_first_time(version: str) -> None:
    app, began, ended = make_moody()
    with serving(app) as base:
        peer = Peer(f"{base}/mcp", version)
        peer.call("moody")
        params = {"name": "moody", "arguments": {"mood": "waiting"}}
        drop(peer.url, version, params, lambda: began.wait(PATIENCE))
        assert ended.wait(PATIENCE)
        assert peer.call("moody")["structuredContent"] == {"mood": ""}


@pytest.mark.parametrize("version", ERAS)
def test_an_endless_answer_of_a_tool_that_has_always_answered_at_once_is_ended(version: str) -> None:
    app, _, ended = make_moody()
    with serving(app) as base:
        peer = Peer(f"{base}/mcp", version)
        peer.call("moody")
        assert "cut off" in peer.call("moody", {"mood": "writing"})["content"][0]["text"]
        assert ended.wait(PATIENCE)
        assert peer.call("moody")["structuredContent"] == {"mood": ""}
