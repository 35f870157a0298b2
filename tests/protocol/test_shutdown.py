"""What goes on after an answer, and what happens to everything when the server stops."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from tests import web
from tests.leaks import nothing_left
from tests.protocol.speaker import Speaker
from tests.protocol.waiting import Tracker, make_waiting, make_waiting_server
from tests.protocol.wire import ACCEPT, ERAS, HANDSHAKES, OPTIONS, Peer
from tests.servers import PATIENCE, Serve, running, serving
from toolway import Settings

VERSION = HANDSHAKES[-1]


@asynccontextmanager
async def noting(app: FastAPI) -> AsyncIterator[None]:
    """A lifespan that notes what had ended when the application's own shutdown began."""
    yield
    tracker: Tracker = app.state.tracker
    app.state.at_shutdown = dict(tracker.counts)


@pytest.mark.parametrize("version", ERAS)
def test_an_answer_does_not_wait_for_background_tasks(serve: Serve, version: str) -> None:
    app = make_waiting_server()
    peer, tracker = Peer(serve(app) + "/mcp", version), app.state.tracker
    assert peer.call("answer_first")["content"][0]["text"] == '"answered"'
    tracker.wait("began")
    assert "ended" not in tracker.counts
    tracker.opened.set()
    tracker.wait("ended")


@pytest.mark.parametrize("version", ERAS)
def test_background_tasks_end_before_the_applications_own_shutdown(version: str) -> None:
    app = make_waiting_server(lifespan=noting)
    tracker = app.state.tracker
    with ThreadPoolExecutor() as pool:
        with serving(app) as base:
            Peer(f"{base}/mcp", version).call("answer_first")
            tracker.wait("began")
            pool.submit(tracker.opened.set)
        assert app.state.at_shutdown == {"began": 1, "ended": 1}


@pytest.mark.parametrize("version", ERAS)
def test_calls_in_flight_are_ended_when_the_server_stops(version: str) -> None:
    app = make_waiting_server(lifespan=noting)
    tracker = app.state.tracker
    with nothing_left(), ThreadPoolExecutor() as pool:
        with serving(app, timeout_graceful_shutdown=1) as base:
            peer = Peer(f"{base}/mcp", version)
            calls = [pool.submit(peer.send, "tools/call", {"name": "wait"}) for _ in range(3)]
            tracker.wait("began", 3)
            begin = time.monotonic()
        assert time.monotonic() - begin < 10
        for call in calls:
            assert isinstance(call.exception(PATIENCE), httpx2.HTTPError) or call.result().status_code >= 200
    assert app.state.at_shutdown == dict.fromkeys(("began", "ended", "cleaned", "cleaned in a thread"), 3)


def test_sessions_and_their_open_streams_end_when_the_server_stops() -> None:
    app = make_waiting_server(Settings(stateful=True), lifespan=noting)
    hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    with nothing_left(), ThreadPoolExecutor() as pool:
        with serving(app, timeout_graceful_shutdown=1) as base:
            url = f"{base}/mcp"
            peer = Peer(url, VERSION)
            session = {"mcp-session-id": peer.send("initialize", hello).headers["mcp-session-id"]}
            head = {**session, "accept": ACCEPT, "mcp-protocol-version": VERSION}
            with web.stream("GET", url, headers=head, **OPTIONS) as stream:
                assert stream.status_code == 200
                pool.submit(peer.send, "tools/call", {"name": "wait"}, 5, session)
                app.state.tracker.wait("began")
                begin = time.monotonic()
                pool.submit(drain, stream)
        assert time.monotonic() - begin < 10
    assert app.state.at_shutdown["cleaned"] == 1


def drain(stream: httpx2.Response) -> None:
    with pytest.raises(httpx2.HTTPError):
        stream.read()


SERVED = """
import sys
from tests.protocol.test_shutdown import noting
from tests.protocol.waiting import make_waiting_server
from contextlib import asynccontextmanager

@asynccontextmanager
async def lifespan(app):
    async with noting(app):
        yield
    print("at shutdown:", sorted(app.state.at_shutdown.items()), flush=True)

app = make_waiting_server(lifespan=lifespan)
"""


@pytest.mark.parametrize("version", ERAS)
def test_an_interrupted_server_ends_its_calls_and_then_the_application(version: str, tmp_path: Any) -> None:
    """As somebody stops it: with a signal, and uvicorn's own time-out."""
    (tmp_path / "served.py").write_text(SERVED, encoding="utf-8")
    options = ["--port", "0", "--timeout-graceful-shutdown", "1", "--app-dir", str(tmp_path)]
    with ThreadPoolExecutor() as pool, running([sys.executable, "-m", "uvicorn", "served:app", *options]) as process:
        peer = Peer(f"{process.url()}/mcp", version)
        call = pool.submit(peer.send, "tools/call", {"name": "wait"})
        Peer(peer.url).call("observe", {"what": "began"})
        process.popen.send_signal(signal.SIGINT)
        process.popen.wait(PATIENCE)
        call.exception(PATIENCE)
    process._reader.join(PATIENCE)
    assert "('began', 1), ('cleaned', 1), ('cleaned in a thread', 1), ('ended', 1)" in process.output


def make_noting() -> FastAPI:
    """The waiting application, which tells on stderr what had ended when its shutdown began."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with noting(app):
            yield
        print("at shutdown:", sorted(app.state.at_shutdown), file=sys.stderr)

    return make_waiting(lifespan=lifespan)


@pytest.mark.parametrize("version", ERAS)
def test_a_stdio_server_ends_promptly_with_its_input_and_cleans_up(version: str) -> None:
    with Speaker(make_noting, version) as speaker:
        speaker.say("tools/call", {"name": "wait"})
        assert "result" in speaker.ask("tools/call", {"name": "observe", "arguments": {"what": "began"}})
        begin = time.monotonic()
        output = speaker.stop()
        assert time.monotonic() - begin < 10
    assert "at shutdown: ['began', 'cleaned', 'cleaned in a thread', 'ended']" in output
