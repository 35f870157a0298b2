"""Telling the caller how far the work is."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from typing import Annotated, TypeAlias

import anyio
from fastapi import Depends
from starlette.requests import HTTPConnection

from toolway.calls.context import Report
from toolway.calls.scope import context_of

__all__ = ["Heartbeat", "Progress", "Reporter", "SteadyReport", "steady"]

_INTERVAL_SECONDS = 0.05
_BURST = 20
"""So many reports may come at once; over time one per interval."""
_BEAT_STEP = 0.001
"""How far a heartbeat moves progress: little, so that the endpoint's own reports stay in front of it."""


def steady(report: Report | None) -> SteadyReport | None:
    """Hold reports to what the specification asks for: each further than the last, and not too many.

    What comes too soon is dropped, as the next one says more; the end is always told.
    https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/progress
    """
    return SteadyReport(report) if report is not None else None


class SteadyReport:
    """Reports progress of one call in increasing values, the endpoint's own and heartbeats between them."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._reached = -math.inf
        """The endpoint's last own report."""
        self._sent = 0.0
        """The last value that was sent."""
        self._total: float | None = None
        self.count = 0
        """How many reports were sent."""
        self._due = 0.0
        """When the reports so far would have come, one per interval (the generic cell rate algorithm)."""

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
        """Return a value above the last one sent, and below the total where that can be."""
        step = _BEAT_STEP
        if self._total is not None and self._total > self._sent:
            step = min(step, (self._total - self._sent) / 2)
        return max(self._sent + step, math.nextafter(self._sent, math.inf))

    async def _send(self, progress: float, message: str | None) -> None:
        self._sent = progress
        self.count += 1
        await self._report(progress, self._total, message)


class Heartbeat:
    """Reports at an interval that a call is still running, as that resets its client's timeout.

    Where the call itself has reported since the last time, there is nothing to add.
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
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):  # the client has left
            await self._report.beat(f"Still running after {seconds:.0f} seconds")
            self._beat = None
            self._wait()

    def _wait(self) -> None:
        self._seen = self._report.count
        self._timer = self._loop.call_later(self._seconds, self._tick) if self._timer is not None else None

    def cancel(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    async def finish(self) -> None:
        """Send nothing more, and wait for what is being sent."""
        beat, self._beat = self._beat, None
        self.cancel()
        if beat is not None:
            await asyncio.wait({beat})


class Reporter:
    """Reports progress to whoever called the tool; does nothing over plain HTTP, or where nobody asked for it."""

    def __init__(self, report: Report | None) -> None:
        self._report = report

    async def __call__(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Say how far the work is.

        Args:
            progress: in whatever unit; each report has to be further than the last one, others are dropped.
            total: the end, in the same unit, where it is known.
            message: a word for people to read.
        """
        if self._report is not None:
            await self._report(progress, total if total is None or math.isfinite(total) else None, message)


async def _reporter(connection: HTTPConnection) -> Reporter:
    context = context_of(connection)
    return Reporter(context.report if context is not None else None)


Progress: TypeAlias = Annotated[Reporter, Depends(_reporter)]
"""A dependency that reports progress: ``async def export(progress: Progress)``, then ``await progress(50, total=100)``.

It is no argument of the tool, and stands in no document. Not more than 20 reports a second are sent on.
"""
