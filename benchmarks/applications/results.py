"""The results of the applications, and the page that shows them."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from applications import Application
from compare import Comparison
from times import Times

__all__ = ["Row", "details", "page", "summary"]

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
INTRODUCTION = """\
# toolway on applications by others

Written by `benchmarks/applications/run.py` on {date} with Python {python}.

The official client makes each call with MCP 2026-07-28 and 2025-11-25. It is compared with the plain HTTP request to
the same server: status, and body or error (of a 500 only the status, as agents do not see its text). The operations are
those of the application's own OpenAPI documents; each is a tool or skipped with a reason. WebSockets are listed as
skipped. Generated reads are all GET operations, with invented values for required parameters; responses that change
from one HTTP request to the next are not compared.
"""
COLUMNS = (
    "application", "version", "FastAPI", "mcp", "operations offered", "tools listed", "skipped", "`toolway list`, s",
    "start / stop, s (exit code), uvicorn", "toolway",
    "calls equal to HTTP", "generated reads equal to HTTP", "lint: errors, warnings, notes", "tokens of all tools",
    "remarks",
)  # fmt: skip
ALIGNED = "---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---"


@dataclass
class Row:
    """The results of one application."""

    app: Application
    versions: list[str] = field(default_factory=list[str])
    seconds: float = 0.0
    documents: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """By the prefix of their paths."""
    listed: int = 0
    skipped: list[str] = field(default_factory=list[str])
    report: dict[str, Any] = field(default_factory=dict[str, Any])
    """The output of ``toolway lint --json``."""
    times: dict[str, Times] = field(default_factory=dict[str, Times])
    """By the command that serves it: ``uvicorn`` or ``toolway``."""
    comparisons: list[Comparison] = field(default_factory=list[Comparison])
    sweep: list[Comparison] = field(default_factory=list[Comparison])
    failure: str = ""

    @property
    def tools(self) -> dict[tuple[str, str], str]:
        """The tools' names by method and path."""
        return {(cost["method"], cost["path"]): cost["tool"] for cost in self.report.get("costs", ())}

    @property
    def operations(self) -> list[tuple[str, str]]:
        """Method and path of all that the documents offer."""
        return [
            (method.upper(), prefix + path)
            for prefix, document in self.documents.items()
            for path, item in document.get("paths", {}).items()
            for method in item
            if method in METHODS
        ]

    @property
    def problems(self) -> list[str]:
        """Problems that fail the run."""
        skipped = {entry.partition(": ")[0] for entry in self.skipped}
        lost = [place for place in self.operations if place not in self.tools and " ".join(place) not in skipped]
        return [
            *([self.failure] if self.failure else []),
            *([f"{self.listed} tools listed, {len(self.tools)} linted"] if self.listed != len(self.tools) else []),
            *(f"neither a tool nor skipped: {' '.join(place)}" for place in lost),
            *(f"differs: {each.request}" for each in (*self.comparisons, *self.sweep) if each.difference),
        ]


def page(rows: list[Row]) -> str:
    """The results as people read them."""
    lines = [
        INTRODUCTION.format(date=f"{datetime.now(UTC):%Y-%m-%d}", python=platform.python_version()),
        f"| {' | '.join(COLUMNS)} |",
        f"|{ALIGNED}|",
        *map(summary, rows),
    ]
    for row in rows:
        lines += ["", f"## {row.app.name}", "", f"`{row.app.expression}`", *details(row)]
    return "\n".join(lines) + "\n"


def summary(row: Row) -> str:
    version, fastapi, mcp = ["-", *row.versions][-3:] if row.versions else ["-"] * 3
    levels = row.report.get("levels", {})
    cells = [
        row.app.name, version, fastapi, mcp, len(row.operations), row.listed, len(row.skipped), f"{row.seconds:.1f}",
        row.times.get("uvicorn", "-"), row.times.get("toolway", "-"),
        _share(row.comparisons), _share(row.sweep), ", ".join(f"{count:,}" for count in levels.values()) or "-",
        f"{row.report.get('tokens', 0):,}", row.problems[0].splitlines()[0] if row.problems else row.app.remark,
    ]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def _share(comparisons: list[Comparison]) -> str:
    compared = [each for each in comparisons if not each.left_out]
    equal = sum(not each.difference for each in compared)
    return f"{equal} of {len(compared)}" if compared else "-"


def details(row: Row) -> list[str]:
    """The lines below an application's heading."""
    said = [f"- skipped: {entry}" for entry in row.skipped]
    said += [f"- failed: {problem}" for problem in row.problems if not problem.startswith("differs: ")]
    said += [
        f"- `{request}` as `{both[0].tool}`: {both[0].status}, {_differences(both) or 'equal in both eras'}"
        for request, both in _by_request(row.comparisons)
    ]
    said += [
        f"- made up: `{request}` as `{both[0].tool}`: {both[0].status}, {_differences(both) or both[0].left_out}"
        for request, both in _by_request([each for each in row.sweep if each.difference or each.left_out])
    ]
    return ["", *said] if said else []


def _by_request(comparisons: list[Comparison]) -> Iterator[tuple[str, list[Comparison]]]:
    found: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        found.setdefault(comparison.request, []).append(comparison)
    yield from found.items()


def _differences(both: list[Comparison]) -> str:
    return "; ".join(f"{each.era}: {each.difference}" for each in both if each.difference)
