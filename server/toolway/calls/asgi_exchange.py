"""One request and its response, exchanged with an ASGI application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import anyio.lowlevel
from starlette.types import Message

from toolway.calls.context import CallContext
from toolway.calls.reply import Reply, TakeReply
from toolway.calls.request.request_builder import Request

__all__ = ["AsgiExchange", "size_limit_reason"]

logger = logging.getLogger("toolway.calls")

_EXCEPTION_SECONDS = 0.1
_JSON = "application/json"
_MAX_LINE = 200


class AsgiExchange:
    """The receive and send channels of one request; collects the response and passes it to `take`.

    A response is passed on as soon as it is complete, while background tasks may still run.

    Args:
        request: the request.
        context: the context of the call.
        take: takes the response.
        max_bytes: the size at which a response is truncated.
        stream_seconds: the time after which a streamed response is truncated.
    """

    __slots__ = (
        "_body",
        "_chunks",
        "_disconnected",
        "_is_closed",
        "_is_delivered",
        "_is_streamed",
        "_is_whole",
        "_late",
        "_max_bytes",
        "_method",
        "_parts",
        "_reply",
        "_report",
        "_size",
        "_stream_seconds",
        "_take",
        "_timer",
    )  # fmt: skip

    def __init__(
        self, request: Request, context: CallContext, take: TakeReply, *, max_bytes: int, stream_seconds: float
    ) -> None:
        self._body: bytes | None = request.body or b""
        self._parts = request.parts
        self._method = request.method
        self._max_bytes = max_bytes
        self._report = context.report
        self._stream_seconds = context.stream_seconds or stream_seconds
        self._take = take
        self._reply = Reply(0, [])
        self._chunks: list[bytes] = []
        self._size = 0
        self._is_whole = False
        self._is_streamed = False
        self._is_delivered = False
        self._is_closed = False
        self._disconnected: asyncio.Event | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        # A StreamingResponse ends at a disconnect, so none is reported before the response has been taken.
        if not self._is_closed:
            self._disconnected = self._disconnected or asyncio.Event()
            await self._disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            more = message.get("more_body", False)
            if not self._is_whole:
                chunk = message.get("body", b"")
                await self._add_chunk(chunk, more=more and not self._completes_body(chunk))
            if more:  # an endless stream that never waits would block all other tasks, and could not be canceled
                await anyio.lowlevel.checkpoint()
        elif message["type"] == "http.response.start":
            self._reply.status = message["status"]
            self._reply.headers = list(message.get("headers", ()))
            if not self._reply.header(b"content-length"):
                self._limit_time()

    async def finish(self, exception: BaseException | None) -> None:
        """Pass on the response when the application has returned or raised; an incomplete one counts as none."""
        if self._is_delivered and exception is None and self._late is None:
            return
        self._reply.exception = exception
        if self._late is not None:
            await self._late
        elif self._is_delivered and exception is not None:
            logger.error("work after a response failed", exc_info=exception)
        elif not self._is_whole or (exception is not None and self._reply.status < 500):
            if self._chunks:
                self._reply.is_broken = True
            else:
                self._reply.status = 0
        await self._deliver()

    def close(self) -> None:
        """Report a disconnect to the application."""
        if self._timer is not None:
            self._timer.cancel()
        self._is_closed = True
        if self._disconnected is not None:
            self._disconnected.set()

    def _completes_body(self, chunk: bytes) -> bool:
        """Return whether the response reaches its Content-Length, after which HTTP clients receive nothing more."""
        length = self._reply.header(b"content-length")
        return length.isdigit() and self._size + len(chunk) >= int(length)

    def _is_too_short(self) -> bool:
        """Return whether the response ends before its Content-Length; a server then closes the connection."""
        length = self._reply.header(b"content-length")
        has_body = self._method != "HEAD" and self._reply.status not in {204, 304}
        return has_body and length.isdigit() and self._size < int(length)

    async def _add_chunk(self, chunk: bytes, *, more: bool) -> None:
        if chunk:
            self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > self._max_bytes:
            await self._truncate(size_limit_reason(self._max_bytes))
        elif not more and self._reply.status < 500:
            self._is_whole = True
            self._reply.is_broken = self._is_too_short()
            if self._is_streamed:  # middleware completes a stream that has failed, and raises afterwards
                self._schedule(_EXCEPTION_SECONDS, self._deliver)
            else:
                await self._deliver()
        elif not more:
            self._is_whole = True
            self._schedule(_EXCEPTION_SECONDS, self._deliver)  # the exception that caused it is raised right afterwards
        else:
            self._is_streamed = True
            self._limit_time()
            if self._report is not None and chunk:
                await self._report(len(self._chunks), None, _last_line(chunk))

    def _limit_time(self) -> None:
        if self._timer is None:
            seconds = self._stream_seconds
            self._schedule(seconds, partial(self._truncate, f"the stream was still open after {seconds:g} seconds"))

    async def _truncate(self, reason: str) -> None:
        self._is_whole = True
        self._reply.cut = reason
        await self._deliver()

    def _schedule(self, seconds: float, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `act` later in a task of its own, because the application may be waiting for anything by then."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()

        def start() -> None:
            self._late = loop.create_task(act())

        self._timer = loop.call_later(seconds, start)

    async def _deliver(self) -> None:
        if self._is_delivered:
            return
        self._is_delivered = True
        self._reply.body = b"".join(self._chunks) if len(self._chunks) != 1 else self._chunks[0]
        self._reply.is_strict = self._is_unchanged_json()
        if self._timer is not None:
            self._timer.cancel()
        await self._take(self._reply)
        self.close()

    def _is_unchanged_json(self) -> bool:
        """Return whether the body is the strict JSON that the endpoint returned, unchanged by middleware."""
        strict = self._parts.strict if self._parts is not None else None
        return strict is not None and self._reply.body is strict and self._reply.header(b"content-type") == _JSON


def size_limit_reason(max_bytes: int) -> str:
    """Return why a response that is larger is truncated."""
    return f"it is larger than {max_bytes:,} bytes"


def _last_line(chunk: bytes) -> str:
    lines = chunk.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:_MAX_LINE] if lines else ""
