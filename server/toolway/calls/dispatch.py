"""Running a request through the application, in this process and through its whole ASGI stack.

The scope is made by hand: an HTTP client in the process costs five times as much and normalises paths on the way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import anyio.lowlevel
from starlette.types import ASGIApp, Message, Scope

from toolway.calls.bind import Request
from toolway.calls.context import CallContext, Report
from toolway.calls.work import Work
from toolway.operations import Operation
from toolway.settings import Settings

__all__ = ["Dispatcher", "Reply"]

logger = logging.getLogger("toolway.calls")

_EXPECTS_BODY = frozenset({"POST", "PUT", "PATCH"})  # without a body, a length of 0 says so (RFC 9110, section 8.6)
_GRACE_SECONDS = 10.0


@dataclass(slots=True)
class Reply:
    """The application's answer, as far as it came."""

    status: int = 0
    """0 when the application ended without an answer."""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    body: bytes = b""
    cut: str = ""
    """Why the answer was closed before its end; empty for a whole one."""
    exception: BaseException | None = None

    def header(self, name: bytes) -> str:
        return next((value.decode("latin-1") for key, value in self.headers if key.lower() == name), "")


class Dispatcher:
    """Sends requests to one application; keeps what goes on after an answer (background tasks) until it is closed."""

    def __init__(self, app: ASGIApp, settings: Settings, state: Mapping[str, Any] | None = None) -> None:
        address = urlsplit(settings.base_url)
        self._app = app
        self._settings = settings
        self._state = state or {}
        self._scheme = address.scheme or "http"
        self._host = address.netloc.encode("idna" if not address.netloc.isascii() else "ascii")
        self._server = (address.hostname or "localhost", address.port or (443 if self._scheme == "https" else 80))
        self._running: set[asyncio.Task[None]] = set()

    def address(self, request: Request, context: CallContext) -> str:
        """The URL at which the endpoint sees itself called, without the query."""
        host = self._host.decode("ascii")
        return f"{context.scheme or self._scheme}://{host}{quote(self.root_path(context) + request.path)}"

    def root_path(self, context: CallContext) -> str:
        """What stands before the application's own paths."""
        root: str = getattr(self._app, "root_path", "") or context.root_path
        return "" if root.endswith("/") else root  # Starlette takes such a root off no path

    async def send(self, request: Request, operation: Operation, context: CallContext) -> Reply:
        """Run one request and return its answer as soon as that is complete.

        When the caller goes away (this call is cancelled) or a stream reaches its limit, the application's work is
        cancelled. Work that an application does after its answer goes on.
        """
        exchange = _Exchange(request.body or b"", self._settings, context.report)
        work = Work(self._run(self._scope(request, operation, context), exchange))
        self._running.add(work.task)
        work.task.add_done_callback(self._running.discard)
        work.task.add_done_callback(exchange.ended)
        try:
            reply = await exchange.reply
            if reply.status >= 500:  # the exception behind it arrives just after the answer
                await asyncio.wait([work.task], timeout=0.1)
        except asyncio.CancelledError:
            work.stop()
            raise
        finally:
            exchange.close()
        if reply.cut:
            work.stop()
        return reply

    async def close(self) -> None:
        """Wait for what still runs after its answer; end what does not come to an end by itself."""
        if self._running:
            await asyncio.wait(self._running, timeout=_GRACE_SECONDS)
        left = [task for task in self._running if task.cancel()]
        if left:
            logger.warning("%d background tasks were still running after %g seconds", len(left), _GRACE_SECONDS)
            await asyncio.wait(left, timeout=1)

    async def _run(self, scope: Scope, exchange: _Exchange) -> None:
        await self._app(scope, exchange.receive, exchange.send)

    def _scope(self, request: Request, operation: Operation, context: CallContext) -> Scope:
        root = self.root_path(context)
        path = root + request.path
        query = request.query
        if operation.credentials.query and (pairs := list(context.query_credentials(operation))):
            query = b"&".join(filter(None, (query, urlencode(pairs).encode("ascii"))))
        headers = [(b"host", self._host), (b"accept", b"*/*"), *context.credentials(operation), *request.headers]
        if request.body is not None or request.method in _EXPECTS_BODY:
            headers.append((b"content-length", str(len(request.body or b"")).encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": context.scheme or self._scheme,
            "path": path,
            "raw_path": quote(path).encode("ascii"),
            "query_string": query,
            "root_path": root,
            "headers": headers,
            "client": context.client,
            "server": self._server,
            "state": dict(self._state),
        }


class _Exchange:
    """The two ends of one request: what the application receives, and what it sends."""

    def __init__(self, body: bytes, settings: Settings, report: Report | None) -> None:
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._body: bytes | None = body
        self._settings = settings
        self._report = report
        self._answer = Reply()
        self._chunks: list[bytes] = []
        self._size = 0
        self._over: asyncio.Event | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        # A disconnect reported too early would cut a StreamingResponse, so this waits for the real end.
        if not self.reply.done():
            self._over = self._over or asyncio.Event()
            await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._answer.status = message["status"]
            self._answer.headers = list(message.get("headers", ()))
            if not self._answer.header(b"content-length"):
                self._start_timer()
        elif message["type"] == "http.response.body":
            more = message.get("more_body", False)
            if not self.reply.done():
                await self._take(message.get("body", b""), more=more)
            if more:  # a stream that never waits would let nobody else run, and could not be stopped
                await anyio.lowlevel.checkpoint()

    async def _take(self, chunk: bytes, *, more: bool) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > self._settings.max_result_bytes:
            self._finish(cut=f"it is larger than {self._settings.max_result_bytes:,} bytes")
        elif not more:
            self._finish()
        else:
            self._start_timer()
            if self._report is not None and chunk:
                await self._report(len(self._chunks), None, _last_line(chunk))

    def _start_timer(self) -> None:
        if self._timer is None:
            seconds = self._settings.stream_seconds
            cut = f"it was still going on after {seconds:g} seconds"
            self._timer = asyncio.get_running_loop().call_later(seconds, self._finish, cut)

    def _finish(self, cut: str = "") -> None:
        if self.reply.done():
            return
        self._answer.cut = cut
        self._answer.body = b"".join(self._chunks) if len(self._chunks) != 1 else self._chunks[0]
        self.reply.set_result(self._answer)

    def ended(self, task: asyncio.Task[None]) -> None:
        """Note how the application's work ended; an answer it did not complete is no answer."""
        exception = None if task.cancelled() else task.exception()
        self._answer.exception = exception
        if self.reply.done() and exception is not None and self._answer.status < 500 and not self._answer.cut:
            logger.error("work after an answer failed", exc_info=exception)
        elif not self.reply.done():
            self._answer.status = 0
            self._finish()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._over is not None:
            self._over.set()


def _last_line(chunk: bytes) -> str:
    lines = chunk.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else ""
