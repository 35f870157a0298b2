"""Progress notifications of a call: increasing values, a limited rate, and heartbeats."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress

import anyio

from toolway.calls.context import ProgressCallback

__all__ = ["Heartbeat", "SteadyReport", "steady"]

_INTERVAL_SECONDS = 0.05
_BURST = 20
"""The number of reports that may be sent at once; over time, one is sent per interval."""
_BEAT_STEP = 0.001
"""The progress of a heartbeat, small enough for the endpoint's own reports to exceed it."""


def steady(report: ProgressCallback | None) -> SteadyReport | None:
    """Return a callback that limits the reports it passes to `report`; None for None."""
    return SteadyReport(report) if report is not None else None


class SteadyReport:
    """Reports the progress of one call in increasing values and at a limited rate, as the specification requires.

    Reports within a shorter interval are dropped, because the next one supersedes them. The final one is always sent.
    https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/progress
    """

    def __init__(self, report: ProgressCallback) -> None:
        self._report = report
        self._reached = -math.inf
        """The last value that the endpoint reported."""
        self._sent = 0.0
        """The last value that was sent."""
        self._total: float | None = None
        self.count = 0
        """The number of reports sent."""
        self._due = 0.0
        """The time of the last report at one per interval (generic cell rate algorithm)."""

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        if not (math.isfinite(progress) and progress > self._reached):
            return
        now = time.monotonic()
        due = max(self._due, now) + _INTERVAL_SECONDS
        if due > now + _BURST * _INTERVAL_SECONDS and progress != total:
            return
        self._due, self._reached, self._total = due, progress, total
        await self._send(progress if self.count == 0 or progress > self._sent else self._just_above(), message)

    async def beat(self, message: str) -> None:
        """Report that the call is still running."""
        await self._send(self._just_above(), message)

    def _just_above(self) -> float:
        """Return a value above the last one sent, and below the total if possible."""
        step = _BEAT_STEP
        if self._total is not None and self._total > self._sent:
            step = min(step, (self._total - self._sent) / 2)
        return max(self._sent + step, math.nextafter(self._sent, math.inf))

    async def _send(self, progress: float, message: str | None) -> None:
        self._sent = progress
        self.count += 1
        await self._report(progress, self._total, message)


class Heartbeat:
    """Reports at an interval that a call is still running, which resets the timeout of many clients.

    An interval in which the call itself has reported progress is skipped.
    """

    def __init__(self, report: SteadyReport, seconds: float) -> None:
        self._report = report
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._seen = report.count
        self._beat: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(seconds, self._tick)

    def _tick(self) -> None:
        if self._report.count == self._seen:
            self._beat = self._loop.create_task(self._send())
        else:
            self._wait()

    async def _send(self) -> None:
        seconds = self._loop.time() - self._began
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):  # the client has disconnected
            await self._report.beat(f"Still running after {seconds:.0f} seconds")
            self._beat = None
            self._wait()

    def _wait(self) -> None:
        self._seen = self._report.count
        self._timer = self._loop.call_later(self._seconds, self._tick) if self._timer is not None else None

    def cancel(self) -> None:
        """Stop without waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    async def finish(self) -> None:
        """Stop, and wait for a report that is being sent."""
        beat, self._beat = self._beat, None
        self.cancel()
        if beat is not None:
            await asyncio.wait({beat})
