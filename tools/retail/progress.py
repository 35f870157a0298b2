"""Telling a person how far a long job is, on stderr: stdout may be somebody's protocol or somebody's file."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

__all__ = ["Progress"]

_EVERY_SECONDS = 5.0


@dataclass
class Progress:
    """Counts what is done, and says so every few seconds and at the end."""

    deed: str
    total: int | None = None
    done: int = 0
    _started: float = field(default_factory=time.monotonic)
    _said: float = field(default_factory=time.monotonic)

    def add(self, count: int) -> None:
        """Count some more."""
        self.done += count
        if time.monotonic() - self._said >= _EVERY_SECONDS:
            self._say("")

    def finish(self) -> None:
        """Say that it is over."""
        self._say(", done")

    def _say(self, ending: str) -> None:
        self._said = time.monotonic()
        seconds = max(self._said - self._started, 0.001)
        goal = "" if self.total is None else f" of {self.total:,}"
        rate = f"{self.done / seconds:,.0f} per second"
        print(f"{self.deed}: {self.done:,}{goal} records, {rate}{ending}", file=sys.stderr, flush=True)
