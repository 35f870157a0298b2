"""Run the engine's tests on sets of versions, and end with a table of how each did.

    python -m tests.versions [--python VERSION] [SET ...]

The oldest set is really the oldest: the lowest release of everything that ``pyproject.toml`` asks for. Environments are
made in ``var/versions``, where each keeps the log of its last run; delete the folder to make them anew.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.foundation.project import pyproject

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "versions"
SETS = {
    "oldest": ["--resolution", "lowest-direct"],
    "below-0.137": ["fastapi==0.136.3"],
    "above-0.137": ["fastapi==0.137.2"],
    "below-0.165": ["fastapi==0.164.0"],
    "newest": [],
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Of those that are here, each set runs on the oldest and the newest."""
APART = ("agents", "benchmarks", "desk", "generated", "golden", "replay", "tools")
"""Tests of other things than the engine, and of texts that depend on the locked libraries."""
GROUPS = ("desk", "serve", "tasks", "test", "build")
"""The dependency groups that the tests need; some tests of the engine use the order desk."""
# Starlette's test client wants httpx below its first release with httpx2.
NEEDED = ("httpx>=0.28", "packaging>=24")
UNNEEDED = ("schemathesis",)
SHOWN = ("fastapi", "starlette", "pydantic", "mcp")


@dataclass(frozen=True)
class Row:
    """How one set did on one Python."""

    name: str
    python: str
    versions: dict[str, str]
    counts: dict[str, int]
    seconds: float
    is_good: bool

    def __str__(self) -> str:
        versions = " ".join(f"{self.versions.get(name, '?'):<9}" for name in SHOWN)
        failed = self.counts.get("failed", 0) + self.counts.get("error", 0)
        counts = f"{self.counts.get('passed', 0):>6} {failed:>6} {self.counts.get('skipped', 0):>7}"
        return f"{self.name:<12} {self.python:<6} {versions} {counts} {self.seconds:>7.0f}"


def main(arguments: Sequence[str]) -> int:
    """Run the sets that are named, or all; return 1 when a test failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.versions", description="Run the engine's tests on versions.")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"one of {', '.join(SETS)}; all when none is named")
    parser.add_argument("--python", choices=PYTHONS, help="run every set on this one")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.sets) - SETS.keys():
        parser.error(f"there is no set {min(unknown)!r}; the sets are {', '.join(SETS)}")
    pythons = _pythons([asked.python] if asked.python else PYTHONS)
    if not pythons:
        parser.error(f"no Python {asked.python or f'from {PYTHONS[0]} on'} is here")
    rows = [_played(name, *python) for name in asked.sets or SETS for python in _ends(list(pythons.items()))]
    print(_table(rows))
    return int(not all(row.is_good for row in rows))


def _ends(pythons: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the oldest and the newest; where there is only one, that one once."""
    return list(dict.fromkeys([pythons[0], pythons[-1]]))


def _table(rows: Sequence[Row]) -> str:
    names = " ".join(f"{name:<9}" for name in SHOWN)
    title = f"{'set':<12} {'Python':<6} {names} {'passed':>6} {'failed':>6} {'skipped':>7} {'seconds':>7}"
    return "\n".join([title, *map(str, rows)])


def _pythons(versions: Sequence[str]) -> dict[str, str]:
    """Return the interpreters of this machine by version, in the order given."""
    found: dict[str, str] = {}
    for version in versions:
        python = next((path for path in _candidates(version) if _is_python(path, version)), None)
        if python is None:
            _say(f"Python {version} is not here")
        else:
            found[version] = python
    return found


def _candidates(version: str) -> Iterator[str]:
    """Yield where an interpreter may be: pyenv's own folders too, for its commands work only where they are chosen."""
    if command := shutil.which(f"python{version}"):
        yield command
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/python")))


def _is_python(path: str, version: str) -> bool:
    answer = _ran(path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    return answer.returncode == 0 and answer.stdout.strip() == version


def _uv() -> Path:
    """Return uv, installed into an environment of its own."""
    folder = FOLDER / "uv"
    if not (folder / "bin" / "uv").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", "uv"], check=True)
    return folder / "bin" / "uv"


def _played(name: str, python: str, interpreter: str) -> Row:
    folder = FOLDER / f"{name}-{python}"
    label = f"{name} on Python {python}"
    _say(f"{label}: installing")
    began = time.monotonic()
    made = _installed(folder, SETS[name], interpreter)
    if made.returncode:
        _say(made.stderr)
        return Row(name, python, {}, {}, time.monotonic() - began, is_good=False)
    last, code = _tested(folder, label)
    counts = {what.removesuffix("s"): int(count) for count, what in re.findall(r"(\d+) (\w+)", last)}
    return Row(name, python, _versions(folder), counts, time.monotonic() - began, is_good=code == 0)


def _tested(folder: Path, label: str) -> tuple[str, int]:
    """Run the tests, print progress and failures; return pytest's last line and exit code."""
    # Old versions warn of what newer Pythons and libraries deprecate, so a warning is not a failure here.
    command = [str(folder / "bin" / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "filterwarnings="]
    command += ["-n", "auto", "--dist", "loadfile"]
    apart = ["--continue-on-collection-errors", *(f"--ignore=tests/{name}" for name in APART)]
    line, told = "", 0
    with (
        (folder / "pytest.log").open("w", buffering=1, encoding="utf-8") as log,
        subprocess.Popen(
            [*command, *apart, "tests"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        for line in process.stdout or ():
            log.write(line)
            percent = re.search(r"\[ *(\d+)%\]$", line)
            if line.startswith(("FAILED ", "ERROR tests")) or (percent and int(percent[1]) >= told + 10):
                told = int(percent[1]) if percent else told
                _say(f"{label}: {percent[0] if percent else line.strip()}")
    return line, process.returncode


def _installed(folder: Path, options: Sequence[str], interpreter: str) -> subprocess.CompletedProcess[str]:
    if not (folder / "bin" / "python").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([str(_uv()), "venv", "-q", "--python", interpreter, str(folder)], check=True)
    command = [str(_uv()), "pip", "install", "-q", "--upgrade", "--python", str(folder / "bin" / "python")]
    return _ran(*command, *options, "-e", ".", *_needed())


def _needed() -> Iterator[str]:
    """Yield what the tests need beside the engine."""
    yield from NEEDED
    for group in GROUPS:
        yield from (entry for entry in pyproject()["dependency-groups"][group] if not entry.startswith(UNNEEDED))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _ran(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _versions(folder: Path) -> dict[str, str]:
    code = f"from importlib.metadata import version\nfor name in {SHOWN}: print(name, version(name))"
    told = subprocess.run([str(folder / "bin" / "python"), "-c", code], capture_output=True, text=True, check=True)
    return dict(line.split() for line in told.stdout.splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
