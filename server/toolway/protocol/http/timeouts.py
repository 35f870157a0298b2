"""Timeouts that cost little, and limits for clients that read their responses slowly.

A timer of the event loop costs more than a short call takes. Here many timers share one; they are coarse (an action
runs up to two ticks late), and most of them are canceled long before.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from types import TracebackType
from typing import Any

from starlette.types import Message, Send

__all__ = ["DeadlineSend", "SlowClientError", "Timeout", "Timer", "Timers", "wait_for"]

_TICK_SECONDS = 0.05
_PIECE_BYTES = 64 * 1024


class Timer:
    """An action that runs later, unless it is canceled."""

    __slots__ = ("_timers", "act", "ticks")

    def __init__(self, timers: Timers, ticks: int, act: Callable[[], object]) -> None:
        self._timers = timers
        self.ticks = ticks
        self.act = act

    def cancel(self) -> None:
        self._timers.pending.discard(self)
        self.act = _do_nothing  # the action refers back to the owner, and the cycle would need the garbage collector


class Timers:
    """Counts the ticks of all its timers; it uses the event loop only while there are any."""

    def __init__(self) -> None:
        self.pending: set[Timer] = set()
        self._ticking: asyncio.TimerHandle | None = None

    def after(self, seconds: float, act: Callable[[], object]) -> Timer:
        """Run `act` after so many seconds."""
        timer = Timer(self, int(seconds / _TICK_SECONDS) + 1, act)
        self.pending.add(timer)
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)
        return timer

    def _tick(self) -> None:
        for timer in tuple(self.pending):
            timer.ticks -= 1
            if timer.ticks <= 0:
                act = timer.act
                timer.cancel()
                act()
        loop = asyncio.get_running_loop()
        self._ticking = loop.call_later(_TICK_SECONDS, self._tick) if self.pending else None


def _do_nothing() -> None: ...


class Timeout:
    """A context that raises `TimeoutError` if its body takes longer than so many seconds."""

    __slots__ = ("_has_expired", "_task", "_timer")

    def __init__(self, timers: Timers, seconds: float) -> None:
        self._task = asyncio.current_task()
        self._has_expired = False
        self._timer = timers.after(seconds, self._cancel)

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        is_canceled = kind is asyncio.CancelledError
        if self._has_expired and self._task is not None and self._task.uncancel() == 0 and is_canceled:
            raise TimeoutError from error

    def _cancel(self) -> None:
        self._has_expired = self._task is not None and self._task.cancel()


@types.coroutine
def wait_for(awaitable: Awaitable[None], timers: Timers, seconds: float) -> Generator[Any, Any, None]:
    """Await something with a timeout, which starts when it first has to wait: as a rule it never does.

    Raises:
        TimeoutError: it took longer than so many seconds.
    """
    steps = awaitable.__await__()
    try:
        waiting = next(steps)
    except StopIteration:
        return
    with Timeout(timers, seconds):
        while True:
            try:
                result = yield waiting
            except BaseException as error:  # noqa: BLE001 - including a cancellation, which the awaited code has to see
                step = partial(steps.throw, error)
            else:
                step = partial(steps.send, result)
            try:
                waiting = step()
            except StopIteration:
                return


class SlowClientError(OSError):
    """A client did not read the next piece of its response in time."""


class DeadlineSend:
    """An ASGI `send` with a timeout for each message.

    A server buffers a response that its client does not read, for as long as the connection is open. So a large body is
    sent in pieces, each of which waits until the client has read most of the previous ones.

    Args:
        send: the server's `send`.
        timers: the timers for the timeout.
        seconds: the time in which the client has to read enough for the next piece.
    """

    __slots__ = ("_seconds", "_send", "_timers")

    def __init__(self, send: Send, timers: Timers, seconds: float) -> None:
        self._send = send
        self._timers = timers
        self._seconds = seconds

    async def __call__(self, message: Message) -> None:
        """Send a message.

        Raises:
            SlowClientError: the client did not read in time; the connection is not usable any more.
        """
        body = message.get("body", b"")
        try:
            if len(body) <= _PIECE_BYTES:
                await wait_for(self._send(message), self._timers, self._seconds)
                return
            last, has_more = len(body) - _PIECE_BYTES, message.get("more_body", False)
            for start in range(0, len(body), _PIECE_BYTES):
                piece: Message = {
                    "type": "http.response.body",
                    "body": body[start : start + _PIECE_BYTES],
                    "more_body": start < last or has_more,
                }
                await wait_for(self._send(piece), self._timers, self._seconds)
        except TimeoutError:
            raise SlowClientError(f"the client has read nothing for {self._seconds:g} seconds") from None
