"""Limits for clients that read their response slowly, or not at all.

A server keeps what a client has not read, and waits for as long as the connection is open. Sent in small pieces, a
large body waits here until the client has read most of what came before, and the wait has a deadline.
"""

from __future__ import annotations

import types
from collections.abc import Generator
from functools import partial
from typing import Any

from starlette.types import Message, Send

from toolway.protocol.http.timers import Timeout, Timers

__all__ = ["DeadlineSend", "SlowClientError"]

_PIECE_BYTES = 64 * 1024


class SlowClientError(OSError):
    """A client has not read the next piece of its response in time."""


class DeadlineSend:
    """Sends the messages of one response, each within a deadline.

    Args:
        send: sends to the server.
        timers: measure the deadline.
        seconds: how long the client may take to read enough for the next piece.
    """

    __slots__ = ("_seconds", "_send", "_timers")

    def __init__(self, send: Send, timers: Timers, seconds: float) -> None:
        self._send = send
        self._timers = timers
        self._seconds = seconds

    async def __call__(self, message: Message) -> None:
        """Send a message, a large body in pieces.

        Raises:
            SlowClientError: the client has not read in time; its connection is of no more use.
        """
        body = message.get("body", b"")
        if len(body) <= _PIECE_BYTES:
            await self._send_in_time(message)
            return
        last = len(body) - _PIECE_BYTES
        for start in range(0, len(body), _PIECE_BYTES):
            more = start < last or message.get("more_body", False)
            piece = body[start : start + _PIECE_BYTES]
            await self._send_in_time({"type": "http.response.body", "body": piece, "more_body": more})

    async def _send_in_time(self, message: Message) -> None:
        sending = self._send(message).__await__()
        try:
            waiting = next(sending)
        except StopIteration:  # as a rule nothing has to wait, and a deadline would cost more than the sending
            return
        try:
            with Timeout(self._timers, self._seconds):
                await _resume(sending, waiting)
        except TimeoutError:
            raise SlowClientError(f"the client has read nothing for {self._seconds:g} seconds") from None


@types.coroutine
def _resume(sending: Generator[Any, Any, None], waiting: Any) -> Generator[Any, Any, None]:
    """Await the rest of something that has begun to wait."""
    while True:
        try:
            result = yield waiting
        except BaseException as error:  # noqa: BLE001 - such as a cancellation, which the sending has to see
            step = partial(sending.throw, error)
        else:
            step = partial(sending.send, result)
        try:
            waiting = step()
        except StopIteration:
            return
