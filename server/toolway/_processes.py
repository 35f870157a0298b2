"""Whether several processes serve the application, as far as one of them can know."""

from __future__ import annotations

import os
import sys

__all__ = ["is_one_of_several", "mark_as_worker"]

_OPTIONS = ("--workers", "-w")
"""Of uvicorn, gunicorn, hypercorn, granian, and ``fastapi run``; their worker processes have the same arguments."""


class _Known:
    is_worker = False


def mark_as_worker() -> None:
    """Record that this process is one of several workers."""
    _Known.is_worker = True


def is_one_of_several() -> bool:
    """Return whether this process is known to be one of several that serve the same application."""
    return _Known.is_worker or max(_number(os.environ.get("WEB_CONCURRENCY", "")), _number(_option(sys.argv[1:]))) > 1


def _option(arguments: list[str]) -> str:
    """Return the value of the option that sets the number of processes."""
    for at, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name in _OPTIONS:
            return value or "".join(arguments[at + 1 : at + 2])
        if argument.startswith("-w") and argument[2:].isdigit():
            return argument[2:]
    return ""


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
