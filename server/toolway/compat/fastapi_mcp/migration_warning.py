"""Warnings about deliberate differences from fastapi-mcp."""

from __future__ import annotations

import inspect
import warnings
from types import FrameType

__all__ = ["MigrationWarning", "warn_once"]


class MigrationWarning(UserWarning):
    """A deliberate difference from fastapi-mcp; the text gives the reason and what to do."""


_issued: set[str] = set()


def warn_once(text: str) -> None:
    """Warn at the calling line outside of toolway; each text once per process, as the filters of `warnings` do."""
    if text in _issued:
        return
    depth, frame = 1, inspect.currentframe()
    while frame is not None and _is_of_toolway(frame):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(text, MigrationWarning, stacklevel=depth)
    _issued.add(text)  # not reached if the warning is raised as an error


def _is_of_toolway(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "toolway"
