"""The runs of the suite that toolway is held to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.conformance.suite import NEWEST, OLDER, Release, Result, required_by, run
from tests.servers import serving_apart

__all__ = ["LINES", "Line", "Score", "play"]

_APPLICATION = "tests.conformance.app:app"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Line:
    """One run: which scenarios of which release, against a server with or without sessions."""

    name: str
    release: Release
    stateful: bool
    revision: str | None = None
    """Only what a revision requires counts; the suite runs some scenarios besides."""
    options: tuple[str, ...] = ()

    @property
    def expected(self) -> Path | None:
        """What is not as the suite wants it, with the reasons; the suite notices what is so all the same."""
        if self.release is OLDER:  # which knows no names of single checks
            return None
        return _HERE / ("with-sessions.yml" if self.stateful else "without-sessions.yml")

    @property
    def may_fail(self) -> frozenset[str]:
        """The scenarios that may fail; a recommendation of the suite is not a failure."""
        names = yaml.safe_load(self.expected.read_text(encoding="utf-8"))["server"] if self.expected else []
        return frozenset(name for name in names if ":" not in name)


LINES = (
    Line("2026-07-28, required", NEWEST, stateful=False, revision="2026-07-28"),
    Line("2026-07-28, all", NEWEST, stateful=False, options=("--suite", "all", "--spec-version", "2026-07-28")),
    Line("2025-11-25, required, with sessions", NEWEST, stateful=True, revision="2025-11-25"),
    Line("2025-11-25, required, without sessions", NEWEST, stateful=False, revision="2025-11-25"),
    Line("every revision and extension, with sessions", NEWEST, stateful=True, options=("--suite", "all")),
    Line("release 0.1.16, all, with sessions", OLDER, stateful=True, options=("--suite", "all")),
)


@dataclass(frozen=True)
class Score:
    """The results of a line."""

    line: Line
    results: list[Result]
    """All scenarios that were run, in the suite's order."""
    counting: frozenset[str]
    """The names of those that count for the line."""

    @property
    def failing(self) -> set[str]:
        """Scenarios with a failed check, whether they count or not."""
        return {result.scenario for result in self.results if result.failures}

    @property
    def is_as_expected(self) -> bool:
        """Return whether only expected scenarios fail."""
        return self.failing <= self.line.may_fail

    @property
    def passing(self) -> int:
        """How many of those that count have no failed check."""
        return len(self.counting - self.failing)


def play(line: Line, folder: Path) -> Score:
    """Serve the application in a process of its own, with its tasks in that folder, and run a line against it."""
    settings = {
        "TOOLWAY_STATEFUL": str(line.stateful).lower(),
        "TOOLWAY_STORE_URL": f"sqlite:///{folder / 'tasks.db'}",
    }
    options = line.options if line.revision is None else ("--requirements", line.revision)
    with serving_apart(_APPLICATION, env=settings) as url:
        results = run(line.release, f"{url}/mcp", *options, expected=line.expected)
    names = frozenset(result.scenario for result in results)
    return Score(line, results, names if line.revision is None else required_by(line.release, line.revision))
