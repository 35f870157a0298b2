"""Telling the caller how far the work is."""

from __future__ import annotations

import math
import time
from typing import Annotated, TypeAlias

from fastapi import Depends
from starlette.requests import HTTPConnection

from toolway.calls.context import Report
from toolway.calls.link import context_of

__all__ = ["Progress", "Reporter", "steady"]

_INTERVAL_SECONDS = 0.05
_BURST = 20
"""So many reports may come at once; over time one per interval."""


def steady(report: Report | None) -> Report | None:
    """Hold reports to what the specification asks for: each further than the last, and not too many.

    What comes too soon is dropped, as the next one says more; the end is always told.
    https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/progress
    """
    return _Steady(report) if report is not None else None


class _Steady:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._reached = -math.inf
        self._due = 0.0
        """When the reports so far would have come, one per interval (the generic cell rate algorithm)."""

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        if not (math.isfinite(progress) and progress > self._reached):
            return
        now = time.monotonic()
        due = max(self._due, now) + _INTERVAL_SECONDS
        if due > now + _BURST * _INTERVAL_SECONDS and progress != total:
            return
        self._due, self._reached = due, progress
        await self._report(progress, total, message)


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
