"""The answer to one request over HTTP: a single JSON body, unless something has to be said before it is known."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from mcp_types import INTERNAL_ERROR
from pydantic_core import from_json, to_json
from starlette.types import Message as Event
from starlette.types import Receive, Send

from toolway.errors import ServerShutdownError
from toolway.protocol.http.slow_clients import SlowClientError
from toolway.protocol.http.timers import Timer, Timers

__all__ = ["Answer", "DeferredEventStream", "DisconnectMonitor", "EventStreamGuard", "progress_event", "write_error"]

logger = logging.getLogger("toolway.protocol")

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
]
_STREAM_HEADER_NAMES = frozenset(name for name, _ in _STREAM_HEADERS)
_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")  # in JSON they stand only between tokens, but they would end an event
_LARGE = 64 * 1024
_PING_SECONDS = 15.0
_PATIENCE_SECONDS = 0.05
"""A call that is done by then needs nobody to look whether its client has left."""


class Answer:
    """Writes one JSON body; the first notification before it turns the answer into an event stream.

    https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._streams = False
        self._is_over = False
        self.is_lost = False
        """Whether the client has stopped reading; the call can be stopped then."""

    async def say(self, event: bytes) -> None:
        """Send a notification, before the answer is complete."""
        await self._write(_event(event))

    async def ping(self) -> None:
        """Send a comment, so that a silent connection is not taken for a dead one."""
        await self._write(b": ping\r\n\r\n")

    async def finish(self, *pieces: bytes) -> None:
        """Send the answer itself, which is these pieces of JSON one after the other; only the first one counts."""
        if self._is_over:
            return
        self._is_over = True
        try:
            await self._send_answer(pieces)
        except SlowClientError as error:
            self._lose_client(error)

    async def _send_answer(self, pieces: Sequence[bytes]) -> None:
        if self._streams:
            event = b"".join(pieces).translate(_LINE_BREAKS)
            await self._send({"type": "http.response.body", "body": _event(event)})
            return
        size = sum(map(len, pieces))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % size)]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        # to copy a large one costs more than to send it in pieces
        *others, last = pieces if size > _LARGE else (b"".join(pieces),)
        for piece in others:
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": last})

    async def _write(self, frame: bytes) -> None:
        if self._is_over:
            return
        try:
            if not self._streams:
                self._streams = True
                await self._send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
            await self._send({"type": "http.response.body", "body": frame, "more_body": True})
        except SlowClientError as error:
            self._lose_client(error)

    def _lose_client(self, error: SlowClientError) -> None:
        """Send nothing more to a client that does not read; what it called does not see the error."""
        self._is_over = self.is_lost = True
        logger.warning("a response was not sent whole: %s", error)


class EventStreamGuard:
    """Completes an event stream that the SDK leaves incomplete: it drops its streams when uvicorn receives a signal.

    Args:
        send: sends to the client.
        request_id: the request that the stream has to answer; None for a stream of notifications.
    """

    def __init__(self, send: Send, request_id: str | int | None) -> None:
        self._send = send
        self._request_id = request_id
        self._is_open = False

    async def send(self, event: Event) -> None:
        if event["type"] == "http.response.start":
            self._is_open = _is_event_stream(event)
        elif not event.get("more_body", False):
            self._is_open = False
        await self._send(event)

    async def complete(self) -> None:
        """End the stream if it is open, and answer its request with an error."""
        if self._is_open:
            frame = b"" if self._request_id is None else _event(_restarting(self._request_id))
            await self._send({"type": "http.response.body", "body": frame})


class DeferredEventStream:
    """Turns an event stream of the SDK into a JSON response if its first event is the response.

    Within a session, the SDK answers every request with an event stream. Its start is held back until it is known
    whether a notification, a request to the client, or a keep-alive comment has to be sent before the response.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Event | None = None
        self._response: bytes | None = None

    async def send(self, event: Event) -> None:
        if self._response is not None:  # nothing of the stream is sent
            return
        if event["type"] == "http.response.start" and _is_event_stream(event):
            self._start = event
            return
        if self._start is not None:
            self._response = _response_in(event.get("body", b""))
            if self._response is not None:
                return
            start, self._start = self._start, None
            await self._send(start)
        await self._send(event)

    async def finish(self) -> None:
        """Send the JSON response, once the SDK is done with the request: its id is free again then."""
        if self._start is None or self._response is None:
            return
        kept = [(name, value) for name, value in self._start["headers"] if name not in _STREAM_HEADER_NAMES]
        length = b"%d" % len(self._response)
        headers = [*kept, (b"content-type", b"application/json"), (b"content-length", length)]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": self._response})


def _is_event_stream(start: Event) -> bool:
    return any(value.startswith(b"text/event-stream") for _, value in start["headers"])


def _response_in(frame: bytes) -> bytes | None:
    """Return the JSON-RPC response in an event; None for a comment, a notification, and a request to the client."""
    _, separator, data = frame.partition(b"\r\ndata: ")
    if not separator:
        return None
    data = data.rstrip(b"\r\n")
    return None if "method" in from_json(data) else data


def _restarting(request_id: str | int) -> bytes:
    return write_error(request_id, INTERNAL_ERROR, str(ServerShutdownError()))


def _event(data: bytes) -> bytes:
    return b"event: message\r\ndata: " + data + b"\r\n\r\n"


def write_error(request_id: str | int, code: int, text: str) -> bytes:
    """Write a JSON-RPC error."""
    return to_json({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": text}})


def progress_event(token: str | int, progress: float, total: float | None, message: str | None) -> bytes:
    """Write ``notifications/progress`` (basic/patterns/progress of the specification)."""
    params = {"progressToken": token, "progress": progress, "total": total, "message": message}
    known = {key: value for key, value in params.items() if value is not None}
    return to_json({"jsonrpc": "2.0", "method": "notifications/progress", "params": known})


class DisconnectMonitor:
    """Looks after a call that takes its time: whether its client has left, and that its connection shows signs of life.

    A call that waits for nothing never begins it; for one that does not wait long, it costs a timer.
    """

    def __init__(self, timers: Timers, receive: Receive, answer: Answer) -> None:
        self._timers = timers
        self._receive = receive
        self._answer = answer
        self._leave: Callable[[], None] | None = None
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def begin(self, leave: Callable[[], None]) -> None:
        """Look from now on, unless it is closed already; `leave` is called when the client has left."""
        if not self._is_closed:
            self._leave = leave
            self._timer = self._timers.after(_PATIENCE_SECONDS, self._start)

    def close(self) -> None:
        self._is_closed = True
        self._leave = None
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        leaving = asyncio.create_task(self._disconnect())
        try:
            while not (self._answer.is_lost or (await asyncio.wait({leaving}, timeout=_PING_SECONDS))[0]):
                await self._answer.ping()
            if self._leave is not None:
                self._leave()
        finally:
            leaving.cancel()

    async def _disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
