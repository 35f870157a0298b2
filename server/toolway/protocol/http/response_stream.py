"""The response to one MCP request over HTTP: a JSON body, or an event stream if notifications come first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from pydantic_core import to_json
from starlette.types import Receive, Send

from toolway.protocol.http.timeouts import SlowClientError, Timer, Timers

__all__ = ["DisconnectMonitor", "ResponseStream", "event_frame", "progress_message"]

logger = logging.getLogger("toolway.protocol")

STREAM_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
]
_REMOVE_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")  # legal between the tokens of JSON, but they would end an event
_MAX_COPY_BYTES = 64 * 1024
_PING_SECONDS = 15.0
_DELAY_SECONDS = 0.05
"""Calls that end earlier need no check whether the client has disconnected."""


class ResponseStream:
    """Writes one JSON body; the first notification before it turns the response into an event stream.

    https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
    """

    __slots__ = ("_is_event_stream", "_is_finished", "_send", "has_lost_client")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_event_stream = False
        self._is_finished = False
        self.has_lost_client = False
        """Whether the client has stopped reading, so that the call can be canceled."""

    async def send_message(self, message: bytes) -> None:
        """Send a notification before the response."""
        await self._write(event_frame(message))

    async def ping(self) -> None:
        """Send a comment, so that proxies do not close an idle connection."""
        await self._write(b": ping\r\n\r\n")

    async def finish(self, *pieces: bytes) -> None:
        """Send the response, JSON in pieces, and end the stream; calls after the first one have no effect."""
        if self._is_finished:
            return
        self._is_finished = True
        send = self._send
        try:
            if self._is_event_stream:
                event = event_frame(b"".join(pieces).translate(_REMOVE_LINE_BREAKS))
                await send({"type": "http.response.body", "body": event})
                return
            size = sum(map(len, pieces))
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % size)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if size > _MAX_COPY_BYTES:  # sending the pieces costs less than a copy
                *first, last = pieces
                for piece in first:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            else:
                last = b"".join(pieces)
            await send({"type": "http.response.body", "body": last})
        except SlowClientError as error:
            self._lose_client(error)

    async def _write(self, frame: bytes) -> None:
        if self._is_finished:
            return
        try:
            if not self._is_event_stream:
                self._is_event_stream = True
                await self._send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            await self._send({"type": "http.response.body", "body": frame, "more_body": True})
        except SlowClientError as error:
            self._lose_client(error)

    def _lose_client(self, error: SlowClientError) -> None:
        """Send nothing more to a client that does not read; the code that sends does not see the error."""
        self._is_finished = self.has_lost_client = True
        logger.warning("a response was not sent completely: %s", error)


def event_frame(message: bytes) -> bytes:
    """Return a message as a server-sent event."""
    return b"event: message\r\ndata: " + message + b"\r\n\r\n"


def progress_message(token: str | int, progress: float, total: float | None, message: str | None) -> bytes:
    """Return ``notifications/progress`` (basic/patterns/progress of the specification)."""
    params = {"progressToken": token, "progress": progress, "total": total, "message": message}
    known = {key: value for key, value in params.items() if value is not None}
    return to_json({"jsonrpc": "2.0", "method": "notifications/progress", "params": known})


class DisconnectMonitor:
    """Watches for the client's disconnect during a long call, and keeps the connection alive with pings.

    It costs nothing for a call that never waits, and a timer for one that waits briefly.
    """

    __slots__ = ("_is_closed", "_on_disconnect", "_receive", "_stream", "_task", "_timer", "_timers")

    def __init__(self, timers: Timers, receive: Receive, stream: ResponseStream) -> None:
        self._timers = timers
        self._receive = receive
        self._stream = stream
        self._on_disconnect: Callable[[], None] | None = None
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def start(self, on_disconnect: Callable[[], None]) -> None:
        """Start watching, unless the monitor is closed already."""
        if not self._is_closed:
            self._on_disconnect = on_disconnect
            self._timer = self._timers.after(_DELAY_SECONDS, self._start_task)

    def close(self) -> None:
        self._is_closed = True
        self._on_disconnect = None
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _start_task(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        disconnect = asyncio.create_task(self._wait_for_disconnect())
        try:
            while not self._stream.has_lost_client:
                done, _ = await asyncio.wait({disconnect}, timeout=_PING_SECONDS)
                if done:
                    break
                await self._stream.ping()
            if self._on_disconnect is not None:
                self._on_disconnect()
        finally:
            disconnect.cancel()

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
