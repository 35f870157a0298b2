"""Insertion of measurements between marks in hand-written pages."""

from __future__ import annotations

from pathlib import Path

__all__ = ["put"]


def put(page: Path, name: str, text: str) -> None:
    """Replace the text between a part's marks.

    Raises:
        ValueError: the page has no marks of this name.
    """
    begin, end = f"<!-- {name}: written by python -m benchmarks.speed -->", f"<!-- {name}: end -->"
    whole = page.read_text(encoding="utf-8")
    before, found, rest = whole.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page.name} has no place for {name!r}: expected {begin!r} and {end!r}")
    page.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")
