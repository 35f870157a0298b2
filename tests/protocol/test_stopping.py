"""A server that is asked to stop: streams end at once, and calls get a little time, then an answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import uvicorn
from anyio.to_thread import run_sync
from fastapi import FastAPI

from tests import web
from tests.protocol.speaker import HELLO
from tests.protocol.waiting import Tracker, make_waiting_server
from tests.protocol.wire import ACCEPT, ERAS, HANDSHAKES, MODERN, OPTIONS, Peer, headers_of, message, messages
from tests.servers import PATIENCE
from toolway import Settings

pytestmark = pytest.mark.anyio
SHORT = 0.2
LONG = 600.0
LANES = {"fast lane": {}, "without the direct path": {"direct": False}, "without the fast lane": {"fast_lane": False}}


class Server(uvicorn.Server):
    """uvicorn in the main thread, where it handles the signals of the process as its command does."""

    def __init__(self, app: FastAPI, **config: Any) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, **config))
        self.settled = asyncio.Event()
        self.tracker: Tracker = app.state.tracker
        self.url = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()

    def stop(self) -> None:
        """Do what uvicorn's handler of SIGTERM does."""
        self.should_exit = True

    async def send(self, version: str, method: str, params: dict[str, Any], session: str = "") -> list[dict[str, Any]]:
        """Send one request, and return all messages of its answer."""
        headers = {"mcp-session-id": session} if session else {}
        return messages(await run_sync(lambda: Peer(self.url, version).send(method, params, headers=headers)))

    async def open_session(self) -> str:
        version = HANDSHAKES[-1]
        hello = {**HELLO, "protocolVersion": version}
        opened = await run_sync(lambda: Peer(self.url, version).send("initialize", hello))
        return opened.headers["mcp-session-id"]


@asynccontextmanager
async def serving(app: FastAPI, **config: Any) -> AsyncGenerator[Server]:
    """Serve until the end of the context, which has to ask the server to stop."""
    server = Server(app, **config)
    with socket.create_server(("127.0.0.1", 0)) as listener, anyio.fail_after(PATIENCE):
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await server.settled.wait()
        yield server
        await task


def assert_restarting(answer: dict[str, Any]) -> None:
    assert answer["error"]["code"] == -32603
    assert answer["error"]["message"].startswith("The server is restarting")


async def test_a_client_that_listens_for_changes_gets_its_result() -> None:
    body = message(MODERN, "subscriptions/listen", {"notifications": {"toolsListChanged": True}})
    frames: list[str] = []
    async with (
        serving(make_waiting_server()) as server,
        web.AsyncClient(**OPTIONS) as client,
        client.stream("POST", server.url, json=body, headers=headers_of(MODERN, body)) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                frames.append(line)
                server.stop()  # after the acknowledgement
    assert '"result"' in frames[-1]


async def test_an_open_stream_of_a_session_ends() -> None:
    async with (
        serving(make_waiting_server(Settings(stateful=True))) as server,
        web.AsyncClient(**OPTIONS) as client,
    ):
        head = {"accept": ACCEPT, "mcp-protocol-version": HANDSHAKES[-1], "mcp-session-id": await server.open_session()}
        async with client.stream("GET", server.url, headers=head) as stream:
            server.stop()
            assert await stream.aread() == b""


@pytest.mark.parametrize("lane", LANES.values(), ids=list(LANES))
@pytest.mark.parametrize("version", ERAS)
async def test_a_call_that_takes_too_long_is_answered_with_an_error(version: str, lane: dict[str, bool]) -> None:
    app = make_waiting_server(Settings(shutdown_seconds=SHORT, **lane))
    async with serving(app) as server, asyncio.TaskGroup() as group:
        call = group.create_task(server.send(version, "tools/call", {"name": "wait"}))
        await run_sync(server.tracker.wait, "began")
        server.stop()
    assert_restarting(call.result()[-1])
    assert server.tracker.counts["cleaned"] == 1


async def test_a_call_of_a_session_is_answered_although_the_sdk_drops_its_stream() -> None:
    app = make_waiting_server(Settings(shutdown_seconds=LONG, stateful=True))
    async with serving(app, timeout_graceful_shutdown=2) as server, asyncio.TaskGroup() as group:
        session = await server.open_session()
        call = group.create_task(server.send(HANDSHAKES[-1], "tools/call", {"name": "wait"}, session))
        await run_sync(server.tracker.wait, "began")
        server.stop()
    assert_restarting(call.result()[-1])


async def test_a_call_of_a_session_that_takes_too_long_is_answered_with_an_error() -> None:
    app = make_waiting_server(Settings(shutdown_seconds=SHORT, stateful=True))
    async with serving(app) as server, asyncio.TaskGroup() as group:
        session = await server.open_session()
        call = group.create_task(server.send(HANDSHAKES[-1], "tools/call", {"name": "wait"}, session))
        await run_sync(server.tracker.wait, "began")
        server.stop()
    assert_restarting(call.result()[-1])


@pytest.mark.parametrize("version", ERAS)
async def test_a_thread_that_nobody_can_stop_does_not_delay_the_error(version: str) -> None:
    async with serving(make_waiting_server(Settings(shutdown_seconds=SHORT))) as server:
        call = asyncio.create_task(server.send(version, "tools/call", {"name": "wait_in_a_thread"}))
        await run_sync(server.tracker.wait, "began")
        server.stop()
        assert_restarting((await call)[-1])
        server.tracker.opened.set()


@pytest.mark.parametrize("version", ERAS)
async def test_a_call_that_ends_in_time_is_answered(version: str) -> None:
    async with serving(make_waiting_server(Settings(shutdown_seconds=LONG))) as server:
        call = asyncio.create_task(server.send(version, "tools/call", {"name": "wait_in_a_thread"}))
        await run_sync(server.tracker.wait, "began")
        server.stop()
        server.tracker.opened.set()
        assert (await call)[-1]["result"]["content"][0]["text"] == '"done"'


@pytest.mark.parametrize("version", ERAS)
async def test_a_call_is_answered_before_uvicorn_cancels_it(version: str) -> None:
    app = make_waiting_server(Settings(shutdown_seconds=LONG))
    async with serving(app, timeout_graceful_shutdown=1) as server, asyncio.TaskGroup() as group:
        call = group.create_task(server.send(version, "tools/call", {"name": "wait"}))
        await run_sync(server.tracker.wait, "began")
        server.stop()
    assert_restarting(call.result()[-1])
