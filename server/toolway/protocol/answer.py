"""The answer to one request over HTTP: a single JSON body, unless something has to be said before it is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pydantic_core import to_json
from starlette.types import Receive, Send

from toolway.protocol.timers import Timer, Timers

__all__ = ["Answer", "Watch", "progress_event"]

_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
]
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

    async def say(self, event: bytes) -> None:
        """Send a notification, before the answer is complete."""
        await self._write(b"event: message\r\ndata: " + event + b"\r\n\r\n")

    async def ping(self) -> None:
        """Send a comment, so that a silent connection is not taken for a dead one."""
        await self._write(b": ping\r\n\r\n")

    async def finish(self, *pieces: bytes) -> None:
        """Send the answer itself, which is these pieces of JSON one after the other."""
        self._is_over = True
        if self._streams:
            event = b"event: message\r\ndata: " + b"".join(pieces).translate(_LINE_BREAKS) + b"\r\n\r\n"
            await self._send({"type": "http.response.body", "body": event})
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
        if not self._streams:
            self._streams = True
            await self._send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        await self._send({"type": "http.response.body", "body": frame, "more_body": True})


def progress_event(token: str | int, progress: float, total: float | None, message: str | None) -> bytes:
    """Write ``notifications/progress`` (basic/patterns/progress of the specification)."""
    params = {"progressToken": token, "progress": progress, "total": total, "message": message}
    known = {key: value for key, value in params.items() if value is not None}
    return to_json({"jsonrpc": "2.0", "method": "notifications/progress", "params": known})


class Watch:
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
            while not (await asyncio.wait({leaving}, timeout=_PING_SECONDS))[0]:
                await self._answer.ping()
            if self._leave is not None:
                self._leave()
        finally:
            leaving.cancel()

    async def _disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
