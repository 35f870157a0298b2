"""The official suite: fetched once, run against a server, and read back check by check."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from benchmarks.environments import NODE, is_installed, packages_of

__all__ = ["NEWEST", "OLDER", "Release", "Result", "fetch", "is_fetched", "required_by", "run"]

_PACKAGE = "@modelcontextprotocol/conformance"
_PATIENCE = 300
_FOLDER_NAME = re.compile(r"server-(?P<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z")


@dataclass(frozen=True)
class Release:
    """One release of the suite, in a folder of its own below ``var``."""

    version: str
    package: str = _PACKAGE

    @property
    def environment(self) -> str:
        return f"conformance-{self.version}"

    @property
    def requirements(self) -> tuple[str, ...]:
        return (f"{self.package}@{self.version}",)


NEWEST = Release("0.2.0-alpha.12")
OLDER = Release("0.1.16")


@dataclass
class Result:
    """The result of one scenario."""

    scenario: str
    passed: int = 0
    """How many checks ended well."""
    failures: list[str] = field(default_factory=list[str])
    """The messages of the failed checks, each with its name."""
    warnings: list[str] = field(default_factory=list[str])
    """The recommendations of the suite."""


def is_fetched(release: Release) -> bool:
    """Return whether a release is installed."""
    return is_installed(release)


def fetch(release: Release) -> Path:
    """Return the suite's program, fetched with npm unless it is there.

    Raises:
        NotInstalledError: npm could not fetch it.
    """
    return packages_of(release) / release.package / "dist" / "index.js"


def required_by(release: Release, revision: str) -> frozenset[str]:
    """Return the scenarios that a revision requires of a server: a list that its release froze."""
    table = fetch(release).parents[1] / "requirements" / f"{revision}.yaml"
    return frozenset(yaml.safe_load(table.read_text(encoding="utf-8"))["server"])


def run(release: Release, url: str, *options: str, expected: Path | None = None) -> list[Result]:
    """Run the suite against a server, and return the scenarios in their order.

    Scenarios that the file `expected` names may fail; the suite itself complains of those of them that do not.

    Raises:
        AssertionError: the suite itself failed, or an expected failure passed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [str(NODE), str(fetch(release)), "server", "--url", url, "-o", folder, *options]
        baseline = ["--expected-failures", str(expected)] if expected is not None else []
        done = subprocess.run(
            [*command, *baseline], check=False, capture_output=True, text=True, timeout=_PATIENCE, cwd=folder
        )
        results = [_read(path) for path in sorted(Path(folder).glob("server-*"), key=_started)]
    assert results, f"the suite did not run: {done.stdout}{done.stderr}"
    if expected is not None:
        assert done.returncode == 0, f"different from {expected.name}: {done.stdout[-2000:]}"
    return results


def _started(folder: Path) -> int:
    return (folder / "checks.json").stat().st_mtime_ns


def _read(folder: Path) -> Result:
    name = _FOLDER_NAME.fullmatch(folder.name)
    assert name is not None, f"an unknown kind of result: {folder.name}"
    result = Result(name["scenario"])
    for check in json.loads((folder / "checks.json").read_text(encoding="utf-8")):
        said = f"{check['id']}: {check.get('errorMessage', check.get('description', ''))}"
        if check["status"] == "SUCCESS":
            result.passed += 1
        elif check["status"] == "FAILURE":
            result.failures.append(said)
        elif check["status"] == "WARNING":
            result.warnings.append(said)
    return result
