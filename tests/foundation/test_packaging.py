"""The wheel, the lock file, and the modules that an import loads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.foundation.project import PACKAGE, pyproject
from tests.support import ROOT

LOCK = ROOT / "requirements.lock"
PIN = re.compile(r"(?P<name>[a-z0-9._-]+)(\[.+\])?==(?P<version>\S+)( ; \S.*)?( --hash=sha256:[0-9a-f]{64})+")
COMMAND_LINE_LIBRARIES = {
    "click",
    "rich",
    "typer",
    "rich_click",
    "docopt",
    "fire",
    "cyclopts",
    "cleo",
    "prompt_toolkit",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def lock_entries() -> list[str]:
    """Return each entry of the lock file on one line."""
    return LOCK.read_text(encoding="utf-8").replace(" \\\n    ", " ").splitlines()


def pins() -> dict[str, list[str]]:
    """Return the pinned versions by name; one name can have several, for different platforms."""
    found: dict[str, list[str]] = {}
    for entry in lock_entries():
        match = PIN.fullmatch(entry)
        assert match, f"not a pinned version with hashes: {entry[:80]}"
        found.setdefault(canonicalize_name(match["name"]), []).append(match["version"])
    return found


def declared_requirements() -> list[Requirement]:
    """Return all requirements of pyproject.toml, including those of groups."""
    data = pyproject()
    groups = (entry for group in data["dependency-groups"].values() for entry in group if isinstance(entry, str))
    return [Requirement(text) for text in (*data["project"]["dependencies"], *groups)]


def modules_after(statement: str) -> set[str]:
    """Return the names of the modules that are loaded after a statement in a fresh interpreter."""
    script = f"{statement}\nimport json, sys; print(json.dumps(list(sys.modules)))"
    return set(json.loads(subprocess.check_output([sys.executable, "-c", script], text=True)))


def test_the_wheel_contains_only_the_package(wheel: zipfile.ZipFile) -> None:
    folders = {name.split("/")[0] for name in wheel.namelist()}
    assert folders == {"toolway", f"toolway-{pyproject()['project']['version']}.dist-info"}


def test_the_wheel_contains_every_module_and_py_typed(wheel: zipfile.ZipFile) -> None:
    expected = {f"toolway/{path.relative_to(PACKAGE).as_posix()}" for path in PACKAGE.rglob("*.py")}
    assert expected | {"toolway/py.typed"} <= set(wheel.namelist())


def test_the_wheel_names_its_license_and_its_command(wheel: zipfile.ZipFile) -> None:
    texts = {Path(name).name: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name}
    assert "License-Expression: MIT" in texts["METADATA"]
    assert texts["LICENSE"] == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "toolway = toolway.cli:main" in texts["entry_points.txt"]


def test_every_locked_version_has_hashes_and_no_url() -> None:
    assert len(pins()) > 50
    assert "://" not in LOCK.read_text(encoding="utf-8")


def test_the_lock_file_satisfies_all_requirements() -> None:
    locked = pins()
    for requirement in declared_requirements():
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert any(requirement.specifier.contains(version, prereleases=True) for version in versions), requirement


def test_httpx_is_not_locked() -> None:
    assert "httpx2" in pins()
    assert "httpx" not in pins()


def test_mounting_does_not_import_uvicorn() -> None:
    assert "uvicorn" not in {Requirement(text).name for text in pyproject()["project"]["dependencies"]}
    blocked = "import sys; sys.modules['uvicorn'] = None"
    made = "from fastapi import FastAPI; from toolway import Toolway; Toolway(FastAPI()).mount()"
    assert "toolway.protocol.http.endpoint" in modules_after(f"{blocked}; {made}")


def test_importing_toolway_loads_no_command_line_library() -> None:
    loaded = {name.partition(".")[0] for name in modules_after("import toolway")}
    assert "toolway" in loaded
    assert loaded & (COMMAND_LINE_LIBRARIES | {"httpx"}) == set()
