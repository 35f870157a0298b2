"""Endpoints that stream: progress while they run, and one bounded result at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests import web
from tests.protocol.clients import EVERYWHERE, connect
from tests.protocol.waiting import Tracker, make_waiting, make_waiting_server
from tests.protocol.wire import ERAS, OPTIONS, Peer, headers_of, message
from tests.servers import Serve
from toolway import Settings, Toolway

ENDLESS = ["follow_events", "follow_lines", "follow_bytes"]


@pytest.fixture
def app() -> FastAPI:
    return make_waiting_server()


@pytest.fixture
def url(app: FastAPI, serve: Serve) -> str:
    return serve(app) + "/mcp"


@pytest.fixture
def tracker(app: FastAPI) -> Tracker:
    return app.state.tracker


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_stream_is_closed_with_what_came_and_a_word(serve: Serve, version: str, name: str) -> None:
    app = make_waiting_server(Settings(stream_seconds=1.5))
    result = Peer(f"{serve(app)}/mcp", version).call(name)
    text = result["content"][0]["text"]
    assert "the stream was still open after 1.5 seconds" in text
    if name == "follow_bytes":  # half of something binary is nothing
        assert result["isError"]
    else:
        assert not result["isError"]
        assert text.count("tick") == 3
    app.state.tracker.wait("closed")


@pytest.mark.parametrize("version", ERAS)
def test_a_stream_that_ends_comes_whole(url: str, tracker: Tracker, version: str) -> None:
    tracker.opened.set()
    result = Peer(url, version).call("go_in_steps")
    assert result["content"][0]["text"] == "data: one\n\ndata: two\n\ndata: three\n\n"
    assert not result["isError"]


@pytest.mark.parametrize("token", ["a token", 7, 0])
@pytest.mark.parametrize("version", ERAS)
def test_progress_arrives_while_the_stream_runs(serve: Serve, version: str, token: str | int) -> None:
    """P13 and H8: under the token that the client gave, ever increasing, and not held back by a proxy."""
    app = make_waiting_server()
    url, tracker = serve(app) + "/mcp", app.state.tracker
    body = message(version, "tools/call", {"name": "go_in_steps", "_meta": {"progressToken": token}})
    with web.stream("POST", url, json=body, headers=headers_of(version, body), **OPTIONS) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        events = data_of(response)
        early = [next(events), next(events)]
        assert [entry["method"] for entry in early] == ["notifications/progress"] * 2
        assert [entry["params"]["message"] for entry in early] == ["data: one", "data: two"]
        tracker.opened.set()  # only now does the rest come
        *more, last = events
    progress = [entry["params"] for entry in (*early, *more)]
    assert {entry["progressToken"] for entry in progress} == {token}
    assert [entry["progress"] for entry in progress] == sorted({entry["progress"] for entry in progress})
    assert last["id"] == 1
    assert last["result"]["content"][0]["text"].endswith("data: three\n\n")


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("meta", [{}, {"progressToken": None}])
def test_nobody_is_told_of_progress_who_did_not_ask(url: str, tracker: Tracker, version: str, meta: Any) -> None:
    """P13."""
    tracker.opened.set()
    response = Peer(url, version).send("tools/call", {"name": "go_in_steps", "_meta": meta})
    assert "notifications/progress" not in response.text


@pytest.mark.parametrize(("transport", "mode"), EVERYWHERE)
async def test_the_official_client_follows_progress_everywhere(transport: str, mode: str) -> None:
    async with connect(transport, mode, make_waiting) as client:
        seen: list[tuple[float, str | None]] = []
        opened = anyio.Event()

        async def follow(progress: float, total: float | None, text: str | None) -> None:
            seen.append((progress, text))
            if len(seen) == 2:
                await client.call_tool("open_gate")
                opened.set()

        result = await client.call_tool("go_in_steps", progress_callback=follow)
        assert seen[:2] == [(1, "data: one"), (2, "data: two")]
        await opened.wait()  # a call that is under way when the client ends would fail it
        assert not result.is_error


@pytest.mark.parametrize("version", ERAS)
def test_an_answer_larger_than_the_limit_is_refused_with_a_word(serve: Serve, version: str) -> None:
    url = serve(make_waiting_server(Settings(max_result_bytes=20))) + "/mcp"
    result = Peer(url, version).call("follow_events")
    assert "it is larger than 20 bytes" in result["content"][0]["text"]


class WatchingResponse(PlainTextResponse):
    """Stops as soon as its client has left, as streams do in some releases of Starlette."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:

            async def answer() -> None:
                await super(WatchingResponse, self).__call__(scope, receive, send)
                group.cancel_scope.cancel()

            group.start_soon(answer)
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()


class SlowMiddleware:
    """Sends nothing at once, as the middleware that Starlette makes of a function."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def slow(message: MutableMapping[str, Any]) -> None:
            await anyio.lowlevel.checkpoint()
            await send(message)

        await self.app(scope, receive, slow)


@pytest.mark.parametrize("version", ERAS)
def test_an_answer_that_looks_out_for_its_client_arrives_before_that_leaves(serve: Serve, version: str) -> None:
    app = FastAPI()
    app.add_middleware(SlowMiddleware)

    @app.get("/watch", operation_id="watch", response_class=WatchingResponse)
    async def watch() -> str:
        return "all of it"

    Toolway(app).mount()
    (content,) = Peer(serve(app) + "/mcp", version).call("watch")["content"]
    assert content["text"] == "all of it"


def data_of(response: httpx2.Response) -> Iterator[dict[str, Any]]:
    """The messages of a stream of events, as they come."""
    lines = (line for line in response.iter_lines() if line.startswith("data:"))
    return (json.loads(line.removeprefix("data:")) for line in lines)
