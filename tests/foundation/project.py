"""The project's own files."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support import ROOT, require

PACKAGE = ROOT / "server" / "toolway"


def pyproject() -> dict[str, Any]:
    """Return pyproject.toml as data."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked_requirements() -> set[str]:
    """Return the requirements of the lock file, as ``name==version``."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return {line.split(" ")[0] for line in lines if "==" in line}


def project_files() -> list[Path]:
    """Return the files of the project: tracked by git, or untracked and not ignored."""
    require(bool(shutil.which("git")) and (ROOT / ".git").exists(), "needs a git checkout, to know the project's files")
    listing = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, encoding="utf-8"
    )
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def project_texts() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every project file that is text."""
    for path in project_files():
        try:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
