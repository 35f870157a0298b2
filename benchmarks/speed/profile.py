"""A profile of a trivial call: each step timed alone, and the whole call in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.speed.app import make_app
from benchmarks.speed.entries import MODERN, Entry
from benchmarks.speed.requests import ID, OPERATIONS, Request, request_for
from toolway import Settings, Toolway
from toolway.app import engine_of
from toolway.calls.direct.dispatch import DirectDispatch
from toolway.calls.reply import Reply
from toolway.calls.request.request_builder import build_request
from toolway.calls.response.response_parser import parse_response
from toolway.mounts import add_mcp_route
from toolway.protocol.fast_lane.result_writer import ResultWriter
from toolway.protocol.http.jsonrpc import read_headers, read_message
from toolway.protocol.http.request_checks import RequestChecks, read_body
from toolway.protocol.http.request_scope import http_context
from toolway.protocol.http.timeouts import Timers
from toolway.protocol.versions import REVISIONS

__all__ = ["profile"]

Steps: TypeAlias = Mapping[str, Callable[[], object] | Callable[[], Awaitable[object]]]
ADD = OPERATIONS[0]
_TIMES = 5


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request as the server passes it to the application."""

    scope: Scope
    body: bytes

    async def to(self, app: ASGIApp) -> None:
        inbox: list[Message] = [{"type": "http.request", "body": self.body, "more_body": False}]

        async def receive() -> Message:
            return inbox.pop() if inbox else await asyncio.get_running_loop().create_future()

        async def send(_: Message) -> None:
            pass

        await app({**self.scope, "state": {}}, receive, send)


def profile(batches: int = 2000) -> dict[str, float]:
    """Return the seconds of each step: the best of many batches, short enough that some are undisturbed."""
    return asyncio.run(_profile(batches))


async def _profile(batches: int) -> dict[str, float]:
    toolway = Toolway(make_app(), settings=Settings(_env_file=None, catalog="list")).mount()  # type: ignore[call-arg]
    plain, call = _sent(request_for(Entry("", ""), ADD)), _sent(request_for(Entry("", "", MODERN), ADD))
    app = toolway.app
    empty = make_app()
    add_mcp_route(_Nothing(), "/mcp", empty, empty, ())
    async with app.router.lifespan_context(app):
        steps: Steps = {
            "the plain HTTP call, without a server": lambda: plain.to(app),
            "the whole tool call, without a server": lambda: call.to(app),
            "of it the application's middleware around /mcp": lambda: call.to(empty),
            **_pieces(toolway, call),
        }
        return await _best(steps, batches)


def _pieces(toolway: Toolway, sent: _Sent) -> Steps:
    running = engine_of(toolway).running
    assert running is not None
    tool, settings = running.catalog.tools[ADD.name], toolway.settings
    headers, message = read_headers(sent.scope["headers"]), read_message(sent.body)
    gate, timers, writer = RequestChecks(settings), Timers(), ResultWriter(running.server)
    request = build_request(tool, ADD.arguments)
    direct = DirectDispatch(toolway.app)
    answer = [(b"content-length", b"2"), (b"content-type", b"application/json")]
    outcome = parse_response(tool, Reply(200, answer, b"42"))

    async def receive() -> Message:
        return {"type": "http.request", "body": sent.body, "more_body": False}

    def called_directly() -> object:
        endpoint = direct.endpoint(tool.operation, toolway.app)
        assert endpoint is not None
        assert request.parts is not None
        return endpoint.call(request.parts)

    return {
        "of it headers into a table": lambda: read_headers(sent.scope["headers"]),
        "of it host, origin and media types": lambda: gate.check("POST", headers),
        "of it the body, with its deadline": lambda: read_body(receive, settings, timers),
        "of it the message, parsed and checked": lambda: read_message(sent.body),
        "of it who calls": lambda: http_context(sent.scope, None),
        "of it arguments to a request": lambda: build_request(tool, ADD.arguments),
        "of it the endpoint, called directly": called_directly,
        "of it the answer to an outcome": lambda: parse_response(tool, Reply(200, answer, b"42")),
        "of it the outcome to bytes": lambda: b"".join(
            writer.tool_reply(message["id"], tool, outcome, REVISIONS[MODERN])
        ),
    }


async def _best(steps: Steps, batches: int) -> dict[str, float]:
    """Time the steps in turn, so that other processes on the machine disturb all equally."""
    found = dict.fromkeys(steps, float("inf"))
    for _ in range(batches):
        for name, step in steps.items():
            before = time.perf_counter()
            for _ in range(_TIMES):
                result = step()
                if asyncio.iscoroutine(result):
                    await result
            found[name] = min(found[name], (time.perf_counter() - before) / _TIMES)
    return found


class _Nothing:
    """An endpoint that only responds."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"42"})


def _sent(request: Request) -> _Sent:
    path, _, query = request.target.partition("?")
    headers = {"host": "localhost", **request.headers}
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "scheme": "http",
        "method": request.method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    return _Sent(scope, request.body.replace(ID, "1").encode())
