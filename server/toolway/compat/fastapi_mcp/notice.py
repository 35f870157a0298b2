"""Telling people who move what differs on purpose, and why."""

from __future__ import annotations

import inspect
import warnings
from types import FrameType

__all__ = ["MigrationWarning", "notify"]


class MigrationWarning(UserWarning):
    """Something behaves otherwise than in fastapi-mcp; the text says what, why, and what to do."""


_told: set[str] = set()


def notify(text: str) -> None:
    """Warn at the line outside of toolway that asked for what differs; of each difference once per process."""
    if text in _told:
        return
    depth, frame = 1, inspect.currentframe()
    while frame is not None and _is_ours(frame):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(text, MigrationWarning, stacklevel=depth)
    _told.add(text)  # not if the warning was raised as an error


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "toolway"
