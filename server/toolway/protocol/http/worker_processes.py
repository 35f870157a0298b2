"""Detection of several server processes, as far as one of them can know."""

from __future__ import annotations

import os
import sys

__all__ = ["is_one_of_several", "mark_as_worker"]

_OPTIONS = ("--workers", "-w")
"""Options of uvicorn, gunicorn, hypercorn, granian and ``fastapi run``; worker processes have the same arguments."""


class _Process:
    is_worker = False


def mark_as_worker() -> None:
    """Record that this process is one of several workers."""
    _Process.is_worker = True


def is_one_of_several() -> bool:
    """Return whether this process is known to be one of several that serve the same application."""
    counts = (os.environ.get("WEB_CONCURRENCY", ""), _worker_option(sys.argv[1:]))
    return _Process.is_worker or any(count.isdecimal() and int(count) > 1 for count in counts)


def _worker_option(arguments: list[str]) -> str:
    """Return the value of the option that sets the number of processes, or an empty string."""
    for index, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name in _OPTIONS:
            return value or "".join(arguments[index + 1 : index + 2])
        if argument.startswith("-w") and argument[2:].isdigit():
            return argument[2:]
    return ""
