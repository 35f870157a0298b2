"""The results of a run, as stored next to the table made from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

__all__ = ["Record", "Row", "Seen", "load", "save"]


@dataclass(frozen=True)
class Seen:
    """The results of one client over one transport."""

    revision: str
    """The revision of MCP that it spoke, as the server heard it; empty when it did not come that far."""
    methods: list[str]
    """Every method that it sent, once."""
    listed: bool | None
    """Whether it saw exactly the tools that the desk has; None if it does not report them."""
    called: bool | None
    """Whether its call gave what the plain HTTP request gives; None when it cannot call."""
    read: bool | None
    """Whether the resource had the text that the plain HTTP request gives; None when it cannot read."""
    confirmed: bool | None
    """Whether it was asked once, and the tool ran after its yes; None when it cannot be asked."""
    problem: str = ""
    """The last line of its output when it failed."""

    @property
    def failures(self) -> list[str]:
        """The failed steps among those that the client supports."""
        return [name for name in ("listed", "called", "read", "confirmed") if getattr(self, name) is False]

    @property
    def is_good(self) -> bool:
        """Whether no step failed."""
        return not self.problem and not self.failures


@dataclass(frozen=True)
class Row:
    """One client."""

    name: str
    title: str
    version: str
    """Empty when it could not be installed."""
    remark: str
    seen: dict[str, Seen]
    """By transport."""
    problem: str = ""
    """Why it could not be installed."""


@dataclass(frozen=True)
class Record:
    """A whole run."""

    date: str
    rows: list[Row]


_RECORD = TypeAdapter(Record)


def save(record: Record, path: Path) -> None:
    """Save a record."""
    path.write_bytes(_RECORD.dump_json(record, indent=1) + b"\n")


def load(path: Path) -> Record:
    """Read a record."""
    return _RECORD.validate_json(path.read_bytes())
