"""The results of a run, as stored next to the tables made from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

__all__ = ["Record", "Run", "Scored", "load", "save"]


@dataclass(frozen=True)
class Run:
    """Every case of every application in one revision of MCP."""

    revision: str
    played: dict[str, int]
    """How many cases each chapter has."""
    failures: dict[str, dict[str, list[str]]]
    """The names of the failed cases, by kind of failure and chapter."""

    @property
    def count(self) -> int:
        return sum(self.played.values())

    @property
    def good(self) -> int:
        return sum(map(self.good_in, self.played))

    def good_in(self, chapter: str) -> int:
        """Return how many cases of a chapter matched the HTTP request."""
        return self.played[chapter] - sum(len(failed.get(chapter, ())) for failed in self.failures.values())

    def failed_by(self, kind: str) -> int:
        """Return how many cases failed in one way."""
        return sum(map(len, self.failures.get(kind, {}).values()))


@dataclass(frozen=True)
class Scored:
    """One entry with its runs; `versions` are those of what it runs on."""

    title: str
    remark: str
    versions: dict[str, str]
    runs: list[Run]
    left_out: list[str]
    """Paths that the application does without, because the server would not start with them."""
    died: str
    """The reason why the server did not start; empty if it did."""


@dataclass(frozen=True)
class Record:
    """A whole run."""

    date: str
    python: str
    scored: list[Scored]


_RECORD = TypeAdapter(Record)


def save(record: Record, path: Path) -> None:
    """Save a record."""
    path.write_bytes(_RECORD.dump_json(record, indent=1) + b"\n")


def load(path: Path) -> Record:
    """Read a record."""
    return _RECORD.validate_json(path.read_bytes())
