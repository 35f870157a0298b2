"""``python -m tests.fidelity`` scores whatever stands at a URL."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.fidelity.apps import APPLICATIONS, make_app
from tests.servers import START, serving
from tests.support import ROOT
from toolway import Settings, Toolway

CHAPTER = "Failures"
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate Operation ID:UserWarning")


def fidelity_app(**options: object) -> FastAPI:
    app = make_app()
    Toolway(
        app, settings=Settings(_env_file=None, output_schemas=True, catalog="list", schemas="full"), **options
    ).mount()
    return app


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    with serving(fidelity_app()) as base:
        yield base


def score(mcp: str, http: str, *more: str | Path) -> subprocess.CompletedProcess[str]:
    command: Sequence[str | Path] = [
        sys.executable, "-m", "tests.fidelity", "--mcp", f"{mcp}/mcp", "--http", http, "--chapter", CHAPTER, *more,
    ]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START, check=False)


def cases() -> int:
    return sum(len(chapter.cases) for chapter in APPLICATIONS["main"] if chapter.title == CHAPTER)


def test_a_server_whose_calls_are_the_requests_scores_all(url: str, tmp_path: Path) -> None:
    done = score(url, url, "--json", tmp_path / "verdicts.json")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{cases()} of {cases():>4}  (100.0%)" in done.stdout.splitlines()[-1]
    verdicts = json.loads((tmp_path / "verdicts.json").read_text())
    assert [verdict["problems"] for verdict in verdicts] == [[]] * cases()


def test_a_server_without_the_tools_is_told_what_is_missing() -> None:
    with serving(fidelity_app(include={"paths": ["/journal"]})) as url:
        done = score(url, url, "--mode", "legacy")

    assert done.returncode == 1
    assert done.stdout.count("not listed") == cases()
    assert f"0 of {cases():>4}  (0.0%)" in done.stdout.splitlines()[-1]
