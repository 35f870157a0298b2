"""The pieces of a call; the tests run them once, ``make bench-micro`` measures them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Generator
from typing import Any

import pytest
from fastapi import FastAPI
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.speed.app import make_app
from benchmarks.speed.entries import MODERN, NEWEST_HANDSHAKE, Entry
from benchmarks.speed.requests import ID, OPERATIONS, Operation, Request, list_request, request_for
from toolway import Settings, Toolway
from toolway.app import engine_of
from toolway.calls import CallContext, Outcome
from toolway.calls.reply import Reply
from toolway.calls.request.request_builder import build_request
from toolway.calls.response.response_parser import parse_response

REVISIONS = (MODERN, NEWEST_HANDSHAKE)


class Bench:
    """A running application, and a loop to run its coroutines on."""

    def __init__(self, loop: asyncio.AbstractEventLoop, toolway: Toolway) -> None:
        self.loop = loop
        self.toolway = toolway
        self.app: FastAPI = toolway.app

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def ask(self, request: Request) -> tuple[int, bytes]:
        """Send a request to the application, without a socket."""
        path, _, query = request.target.partition("?")
        headers = {"host": "localhost", **request.headers}
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "scheme": "http",
            "method": request.method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "root_path": "", "client": ("127.0.0.1", 1), "server": ("localhost", 80), "state": {},
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        inbox = [{"type": "http.request", "body": request.body.replace(ID, "1").encode(), "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            return inbox.pop() if inbox else await self.loop.create_future()

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


@pytest.fixture(scope="module")
def bench() -> Generator[Bench]:
    toolway = Toolway(make_app(), settings=Settings(_env_file=None, catalog="list", result_tokens=0)).mount()
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        started, over = asyncio.Event(), asyncio.Event()
        serving = loop.create_task(_serve(toolway.app, started, over))
        loop.run_until_complete(started.wait())
        yield Bench(loop, toolway)
        over.set()
        loop.run_until_complete(serving)


async def _serve(app: FastAPI, started: asyncio.Event, over: asyncio.Event) -> None:
    """Keep the application running; in one task, as its lifespan has to end where it began."""
    async with app.router.lifespan_context(app):
        started.set()
        await over.wait()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_arguments_become_a_request(benchmark: BenchmarkFixture, bench: Bench, operation: Operation) -> None:
    tool = bench.toolway.catalog.tools[operation.name]
    assert benchmark(build_request, tool, operation.arguments).method == operation.method


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_request_runs_through_the_application(
    benchmark: BenchmarkFixture, bench: Bench, operation: Operation
) -> None:
    running = engine_of(bench.toolway).running
    assert running is not None
    calls = running.calls
    outcome: Outcome = benchmark(lambda: bench.run(calls.call(operation.name, operation.arguments, CallContext())))
    assert outcome.status == 200


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_answer_becomes_an_outcome(benchmark: BenchmarkFixture, bench: Bench, operation: Operation) -> None:
    _, body = bench.run(bench.ask(request_for(Entry("plain", ""), operation)))
    tool = bench.toolway.catalog.tools[operation.name]
    reply = Reply(200, [(b"content-type", b"application/json")], body)
    assert benchmark(parse_response, tool, reply).structured == body


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("version", [None, *REVISIONS], ids=lambda version: version or "http")
def test_a_whole_call(benchmark: BenchmarkFixture, bench: Bench, operation: Operation, version: str | None) -> None:
    request = request_for(Entry("toolway", "", version), operation)
    status, body = benchmark(lambda: bench.run(bench.ask(request)))
    assert status == 200
    assert operation.expects.encode() in body
    assert b'"isError":true' not in body


@pytest.mark.parametrize("version", REVISIONS)
def test_a_list_of_tools(benchmark: BenchmarkFixture, bench: Bench, version: str) -> None:
    request = list_request(Entry("toolway", "", version))
    _, body = benchmark(lambda: bench.run(bench.ask(request)))
    names = {tool["name"] for tool in json.loads(body)["result"]["tools"]}
    assert names >= {operation.name for operation in OPERATIONS}
