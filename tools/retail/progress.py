"""Progress of long jobs on stderr, because stdout may carry a protocol or a file."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

__all__ = ["Progress"]

_EVERY_SECONDS = 5.0


@dataclass
class Progress:
    """A counter that reports every few seconds and at the end."""

    deed: str
    total: int | None = None
    done: int = 0
    _started: float = field(default_factory=time.monotonic)
    _reported: float = field(default_factory=time.monotonic)

    def add(self, count: int) -> None:
        """Add to the count."""
        self.done += count
        if time.monotonic() - self._reported >= _EVERY_SECONDS:
            self._report("")

    def finish(self) -> None:
        """Report the end."""
        self._report(", done")

    def _report(self, ending: str) -> None:
        self._reported = time.monotonic()
        seconds = max(self._reported - self._started, 0.001)
        goal = "" if self.total is None else f" of {self.total:,}"
        rate = f"{self.done / seconds:,.0f} per second"
        print(f"{self.deed}: {self.done:,}{goal} records, {rate}{ending}", file=sys.stderr, flush=True)
