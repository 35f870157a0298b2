"""Runs the official conformance suite against the application beside this file: ``make conformance``.

Words choose lines by their names: ``make conformance ARGS=2026``. The exit code is 1 when a scenario fails that should
not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.environments import NotInstalledError
from tests.conformance.lines import LINES, Line, Score, play
from tests.conformance.suite import NEWEST, OLDER, fetch
from tests.conformance.table import summary, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("words", nargs="*", help="only lines whose names hold one of these")
    parser.add_argument("--install", action="store_true", help="fetch the suite, and run nothing")
    options = parser.parse_args()
    try:
        for release in (NEWEST, OLDER):
            fetch(release)
    except NotInstalledError as error:
        print(f"the suite cannot be had: {error}", file=sys.stderr)
        return 2
    if options.install:
        return 0
    scores = [_played(line) for line in LINES if _is_meant(line, options.words)]
    print("\n".join(["", *(summary(score) for score in scores)]))
    return 0 if all(score.is_as_expected for score in scores) else 1


def _is_meant(line: Line, words: list[str]) -> bool:
    return not words or any(word in line.name for word in words)


def _played(line: Line) -> Score:
    with tempfile.TemporaryDirectory() as folder:
        score = play(line, Path(folder))
    print("\n".join([*table(score), ""]))
    return score


if __name__ == "__main__":
    sys.exit(main())
