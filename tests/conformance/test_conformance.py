"""The official suite finds nothing wrong."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import toolway
import toolway.content
import toolway.deprecated
import toolway.errors
from benchmarks.environments import NotInstalledError
from tests.conformance.lines import LINES, Line, Score, play
from tests.conformance.suite import NEWEST, OLDER, Result, fetch
from tests.conformance.table import summary, table

pytestmark = pytest.mark.timeout(600)  # the first one may have to fetch the suite

HERE = Path(__file__).parent
COUNTING = {"2026-07-28": 37, "2025-11-25": 30}


@pytest.fixture(scope="module")
def _fetched() -> None:
    try:
        for release in (NEWEST, OLDER):
            fetch(release)
    except NotInstalledError as error:
        pytest.skip(f"the conformance suite cannot be fetched: {error}")


@pytest.mark.usefixtures("_fetched")
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_the_suite_passes(line: Line, tmp_path: Path) -> None:
    score = play(line, tmp_path)
    assert score.is_as_expected, "\n".join(table(score))
    assert line.revision is None or len(score.counting) == COUNTING[line.revision]


def test_the_application_uses_nothing_but_public_names() -> None:
    modules = [HERE / "app.py", *(HERE / "fixtures").glob("*.py")]
    imports = [node for module in modules for node in ast.walk(ast.parse(module.read_text("utf-8")))]
    named = {
        (node.module, alias.name)
        for node in imports
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("toolway")
        for alias in node.names
    }
    public = {
        (module.__name__, name)
        for module in (toolway, toolway.content, toolway.deprecated, toolway.errors)
        for name in module.__all__
    }
    assert named <= public


def test_a_failed_check_is_shown_with_what_the_suite_says() -> None:
    line = Line("made up", NEWEST, stateful=False, revision="2026-07-28")
    results = [
        Result("fine", 2),
        Result("wrong", 1, ["wrong-thing: it is wrong"]),
        Result("besides", 0, [], ["advice"]),
    ]
    score = Score(line, results, frozenset({"fine", "wrong"}))
    assert not score.is_as_expected
    assert summary(score) == "made up: 1 of 2 scenarios; 3 of 4 checks in 3 scenarios that ran"
    assert [text.split() for text in table(score)][1:4] == [
        ["fine", "passed", "2", "of", "2", "checks"],
        ["wrong", "failed", "1", "of", "2", "checks"],
        ["failed:", "wrong-thing:", "it", "is", "wrong"],
    ]
