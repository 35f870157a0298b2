"""Counts that tests keep for the end of a run, brought together where several processes share the tests.

A tally is a table: what was counted, line by line, and how often each outcome came. `tests/conftest.py` makes one for
the run and prints it; a test asks for the fixture `tally`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

__all__ = ["Tally"]


class Tally:
    """Counts by table, line and outcome."""

    def __init__(self) -> None:
        self._tables: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))

    def count(self, table: str, line: str, outcomes: Mapping[str, int]) -> None:
        """Add to what a line has counted so far."""
        self._tables[table][line].update(outcomes)

    def plain(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return everything as builtin types, which can go from one process to another."""
        return {
            table: {line: dict(outcomes) for line, outcomes in lines.items()} for table, lines in self._tables.items()
        }

    def add(self, other: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
        """Add what another process has counted."""
        for table, lines in other.items():
            for line, outcomes in lines.items():
                self.count(table, line, outcomes)

    def told(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each table's title and its lines as text, with all of them added up at the end."""
        for table, lines in sorted(self._tables.items()):
            together = sum(lines.values(), Counter[str]())
            entries = [*sorted(lines.items()), ("all", together)] if len(lines) > 1 else list(lines.items())
            yield table, [f"{line}: {_told(outcomes)}" for line, outcomes in entries]


def _told(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
