"""Jobs that somebody wants to hear of, whichever worker changes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager

from toolway.tasks.model import FINAL
from toolway.tasks.sql_store import TaskVersion

__all__ = ["Watches"]


class Watches:
    """Compares how jobs stand with how they stood."""

    def __init__(self) -> None:
        self._open: list[_Watch] = []

    @contextmanager
    def watching(self, numbers: Collection[str], tell: Callable[[str], None]) -> Generator[None]:
        """Tell of some jobs, by number: soon for the first time, and after that whenever they have changed."""
        watch = _Watch(numbers, tell)
        self._open.append(watch)
        try:
            yield
        finally:
            self._open.remove(watch)

    def numbers(self) -> list[str]:
        """The jobs that may still change."""
        return list({number: None for watch in self._open for number in watch.known})

    def compare(self, stamps: Mapping[str, TaskVersion]) -> None:
        for watch in list(self._open):
            watch.compare(stamps)


class _Watch:
    def __init__(self, numbers: Collection[str], tell: Callable[[str], None]) -> None:
        self.known: dict[str, TaskVersion | None] = dict.fromkeys(numbers)
        self._tell = tell

    def compare(self, stamps: Mapping[str, TaskVersion]) -> None:
        for number, known in list(self.known.items()):
            stamp = stamps.get(number)
            if stamp is not None and stamp != known:
                self.known[number] = stamp
                self._tell(number)
            if stamp is None or stamp.state in FINAL:
                del self.known[number]
