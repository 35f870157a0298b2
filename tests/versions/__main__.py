"""Run the engine's tests on sets of versions, each on the oldest and the newest Python that is there.

    python -m tests.versions [SET ...]        one of: oldest, below-0.137, above-0.137, newest

Environments are made in ``var/versions`` and used again; delete the folder to make them anew.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "versions"
SETS = {
    "oldest": ["fastapi==0.115.0", "starlette==0.37.2", "pydantic==2.12.0", "mcp==2.3.0"],
    "below-0.137": ["fastapi==0.136.3"],
    "above-0.137": ["fastapi==0.137.2"],
    "newest": [],
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
TESTS = ["tests/operations", "tests/catalog", "tests/calls", "tests/protocol", "tests/fidelity"]
# Starlette's test client wants httpx below its first release with httpx2.
NEEDED = ["httpx", "hypothesis", "jsonschema", "psutil", "pytest", "pytest-timeout", "asyncpg"]
SHOWN = ("fastapi", "starlette", "pydantic", "mcp")


@dataclass(frozen=True)
class Row:
    """How one set did on one Python."""

    name: str
    python: str
    versions: dict[str, str]
    outcome: str
    is_good: bool

    def __str__(self) -> str:
        versions = "  ".join(f"{name} {self.versions.get(name, '?'):<9}" for name in SHOWN)
        return f"{self.name:<12} Python {self.python:<6} {versions}  {self.outcome}"


def main(names: Sequence[str]) -> int:
    """Run the sets that are named, or all; return 1 when a test failed."""
    unknown = set(names) - SETS.keys()
    if unknown:
        print(f"there is no set {min(unknown)!r}; the sets are {', '.join(SETS)}", file=sys.stderr)
        return 2
    pythons = list(_pythons().items())
    rows = [_played(name, *pythons[index]) for name in names or SETS for index in sorted({0, len(pythons) - 1})]
    print("\n".join(str(row) for row in rows))
    return int(not all(row.is_good for row in rows))


def _pythons() -> dict[str, str]:
    """Return the supported interpreters of this machine by version, oldest first."""
    found: dict[str, str] = {}
    for version in PYTHONS:
        python = next((path for path in _candidates(version) if _is_python(path, version)), None)
        if python is None:
            print(f"Python {version} is not here", file=sys.stderr)
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
    print(f"{name} on Python {python}: installing", file=sys.stderr, flush=True)
    made = _installed(folder, SETS[name], interpreter)
    if made.returncode:
        return Row(name, python, {}, made.stderr.strip().splitlines()[-1], is_good=False)
    print(f"{name} on Python {python}: testing", file=sys.stderr, flush=True)
    # Old versions warn of what newer Pythons and libraries deprecate, so here a warning is no failure.
    command = [str(folder / "bin" / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "filterwarnings="]
    tested = _ran(*command, *TESTS)
    (folder / "pytest.log").write_text(tested.stdout + tested.stderr, encoding="utf-8")
    outcome = re.sub(r" in \d.*", "", (tested.stdout.strip().splitlines() or ["no output"])[-1]).strip("= ")
    return Row(name, python, _versions(folder), outcome, is_good=tested.returncode == 0)


def _installed(folder: Path, pins: Sequence[str], interpreter: str) -> subprocess.CompletedProcess[str]:
    if not (folder / "bin" / "python").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([str(_uv()), "venv", "-q", "--python", interpreter, str(folder)], check=True)
    command = [str(_uv()), "pip", "install", "-q", "--python", str(folder / "bin" / "python")]
    return _ran(*command, *pins, "-e", ".", *NEEDED)


def _ran(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _versions(folder: Path) -> dict[str, str]:
    code = f"from importlib.metadata import version\nfor name in {SHOWN}: print(name, version(name))"
    told = subprocess.run([str(folder / "bin" / "python"), "-c", code], capture_output=True, text=True, check=True)
    return dict(line.split() for line in told.stdout.splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
