"""The tables about other servers match the recorded run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.fidelity.__main__ import SCORED
from benchmarks.fidelity.entries import ENTRIES
from benchmarks.fidelity.kinds import DIED, KINDS, OWN_WORDS, kind_of
from benchmarks.fidelity.record import Record, Run, Scored, load, save
from benchmarks.fidelity.table import results, small_table
from tests.fidelity.apps import chapters_of
from tests.fidelity.case import Case
from tests.support import ROOT

FOLDER = ROOT / "benchmarks" / "fidelity"
VERSIONS = {"mcp": "2.3.0"}
MADE_UP = Record(
    "2026-11-25",
    "3.11.7",
    [
        Scored("ours 1", "as it is", VERSIONS, [Run("new", {"Bodies": 4}, {}), Run("old", {"Bodies": 4}, {})], [], ""),
        Scored(
            "theirs 2",
            "cut",
            VERSIONS,
            [Run("old", {"Bodies": 4}, {OWN_WORDS: {"Bodies": ["null"]}, KINDS[1]: {"Bodies": ["list", "text"]}})],
            ["/tree"],
            "",
        ),
        Scored(
            "dead 3", "whole", VERSIONS, [Run("old", {"Bodies": 4}, {DIED: {"Bodies": list("abcd")}})], [], "Bang: 1"
        ),
    ],
)


@pytest.fixture(scope="module")
def recorded() -> Record:
    return load(FOLDER / "results.json")


def test_the_readme_repeats_the_scores_of_the_recorded_run(recorded: Record) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    scores = set(re.findall(r"\d+ of \d{3,}", small_table(recorded)))
    assert set(re.findall(r"\d+ of \d{3,}", readme)) == scores


def test_the_results_are_those_of_the_recorded_run(recorded: Record) -> None:
    assert (FOLDER / "RESULTS.md").read_text(encoding="utf-8") == results(recorded)


def test_every_server_ran_the_same_cases_in_every_protocol_version(recorded: Record) -> None:
    assert len({tuple(run.played.items()) for scored in recorded.scored for run in scored.runs}) == 1


def test_every_recorded_failure_has_a_specific_kind(recorded: Record) -> None:
    kinds = {kind for scored in recorded.scored for run in scored.runs for kind in run.failures}
    assert kinds <= set(KINDS) - {"other"}


def test_a_small_table_has_a_row_for_each_server_and_a_column_for_each_protocol_version() -> None:
    assert small_table(MADE_UP).splitlines() == [
        "| server | new | old |",
        "|---|--:|--:|",
        "| ours 1 | 4 of 4 (100.0%) | 4 of 4 (100.0%) |",
        "| theirs 2 | - | 1 of 4 (25.0%) |",
        "| dead 3 | - | 0 of 4 (0.0%) |",
    ]


def test_the_results_explain_failures_and_omissions() -> None:
    lines = results(MADE_UP).splitlines()
    for line in (
        "| theirs 2 | 2.3.0 | old | 1 of 4 (25.0%) | 1 |",
        "  Left out: `/tree`.",
        "  It does not start: `Bang: 1`.",
        "| Bodies | 4 | 4 | 4 | 1 | 0 |",
        f"| {OWN_WORDS} | 0 | 0 | 1 | 0 |",
        "### theirs 2, old",
        f"- **{KINDS[1]}** (2)",
        "  - Bodies: list; text",
    ):
        assert line in lines
    assert "### dead 3, old" not in lines


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    save(MADE_UP, path)
    assert load(path) == MADE_UP


@pytest.mark.parametrize(
    ("problems", "kind"),
    [
        (["not listed"], "no tool for the operation"),
        (
            [
                "requests of the call: [], of the request: [{'request': 'GET /a', 'status': 422}]",
                "the call has status None",
            ],
            OWN_WORDS,
        ),
        (
            [
                "requests of the call: [{'request': 'GET /a', 'status': 401}], of the request: []",
                "the call failed, the",
            ],
            "the caller's credentials do not arrive",
        ),
        (["something new"], "other"),
    ],
)
def test_a_failure_has_the_first_kind_that_matches(problems: list[str], kind: str) -> None:
    case = Case(name="a", tool="a", arguments={}, method="GET", url="/a", credentials={"authorization": "Bearer a"})
    assert kind_of(case, problems) == kind


def test_every_peer_is_installed_in_one_version() -> None:
    requirements = [requirement for entry in ENTRIES for requirement in entry.requirements]
    assert requirements
    assert [requirement for requirement in requirements if requirement.count("==") != 1] == []


def test_every_scored_application_belongs_to_the_suite() -> None:
    assert all(chapter.cases for app in SCORED for chapter in chapters_of(app))
