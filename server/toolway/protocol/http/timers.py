"""Many timers on one of the event loop's, which costs more than a short call takes.

They are coarse: an action runs up to two ticks late. Most of them are cancelled long before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

__all__ = ["Timeout", "Timer", "Timers"]

_TICK_SECONDS = 0.05


class Timer:
    """Something to be done later, unless it is cancelled."""

    __slots__ = ("_timers", "act", "ticks")

    def __init__(self, timers: Timers, ticks: int, act: Callable[[], object]) -> None:
        self._timers = timers
        self.ticks = ticks
        self.act = act

    def cancel(self) -> None:
        self._timers.pending.discard(self)
        self.act = _nothing  # what it would have done leads back to who holds it, and rings wait for the collector


class Timers:
    """Counts for all its timers; the loop has work with it only while there are some."""

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


def _nothing() -> None: ...


class Timeout:
    """Raises a `TimeoutError` out of what is done within it, when that takes longer than so many seconds."""

    __slots__ = ("_is_late", "_task", "_timer")

    def __init__(self, timers: Timers, seconds: float) -> None:
        self._task = asyncio.current_task()
        self._is_late = False
        self._timer = timers.after(seconds, self._cancel)

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._is_late and self._task is not None and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _cancel(self) -> None:
        self._is_late = self._task is not None and self._task.cancel()
