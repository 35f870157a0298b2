"""An outdated library is reported on import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.foundation.project import pyproject
from tests.support import ROOT
from toolway.requirements import NEEDED, UNUSABLE


def import_beside(folder: Path, name: str, version: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Import toolway, or run Python with other arguments, with metadata of another version of a library."""
    metadata = folder / f"{name}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, *(arguments or ("-c", "import toolway"))]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("name", "version"), [("fastapi", "0.114.2"), ("pydantic", "2.9"), ("mcp", "1.30.0")])
def test_an_outdated_library_is_named_with_the_command_that_upgrades_it(
    tmp_path: Path, name: str, version: str
) -> None:
    told = import_beside(tmp_path, name, version).stderr.strip().splitlines()[-1]
    assert f"toolway requires {name} {NEEDED[name]} or newer, but {version} is installed" in told
    assert f"pip install --upgrade '{name}>={NEEDED[name]}'" in told


@pytest.mark.parametrize("arguments", [("-m", "toolway"), (str(Path(sys.executable).with_name("toolway")),)])
def test_the_command_reports_an_outdated_library_in_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    answer = import_beside(tmp_path, "fastapi", "0.114.2", *arguments, "--version")
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert line.startswith("toolway: toolway requires fastapi 0.115 or newer, but 0.114.2 is installed; run: ")


@pytest.mark.parametrize("version", ["0.137.0", "0.137.1"])
def test_a_release_with_unusable_routes_is_rejected(tmp_path: Path, version: str) -> None:
    told = import_beside(tmp_path, "fastapi", version).stderr.strip().splitlines()[-1]
    assert f"toolway requires fastapi 0.137.2 or newer, but {version} is installed" in told


@pytest.mark.parametrize("version", ["0.115.0", "0.115", "0.136.3", "0.137.2", "1.0.0rc1", "0.200.dev1"])
def test_a_recent_version_is_accepted(tmp_path: Path, version: str) -> None:
    assert import_beside(tmp_path, "fastapi", version).returncode == 0


def test_the_requirements_match_the_checked_versions() -> None:
    asked = {entry.name: entry for entry in map(Requirement, pyproject()["project"]["dependencies"])}
    floors = {name: next(part.version for part in asked[name].specifier if part.operator == ">=") for name in NEEDED}
    assert floors == NEEDED
    refused = {part.version for part in asked["fastapi"].specifier if part.operator == "!="}
    assert refused == {".".join(map(str, numbers)) for numbers in UNUSABLE["fastapi"]}


def test_the_readme_names_the_supported_versions() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    refused = " and ".join(".".join(map(str, numbers)) for numbers in UNUSABLE["fastapi"])
    assert f"FastAPI {NEEDED['fastapi']} to the newest, except {refused}," in readme
    assert f"Pydantic {NEEDED['pydantic']} (the MCP SDK needs that) to the newest" in readme
