"""The library versions that toolway requires, checked on import: an old library would fail later and less clearly."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from toolway.errors import VersionError

__all__ = ["NEEDED", "UNUSABLE", "check_versions", "require_versions"]

NEEDED = {"fastapi": "0.115", "starlette": "0.37.2", "pydantic": "2.12", "mcp": "2.3"}
"""The oldest supported version of each library, as in ``pyproject.toml``."""
UNUSABLE: dict[str, dict[tuple[int, ...], str]] = {"fastapi": {(0, 137, 0): "0.137.2", (0, 137, 1): "0.137.2"}}
"""Releases that do not work, and the next one that does: no public function walks their tree of routes."""


def require_versions() -> None:
    """Check the versions. The ``toolway`` command exits with one line, as it cannot catch an error of its own import.

    Raises:
        VersionError: as `check_versions`, except in the ``toolway`` command.
    """
    try:
        check_versions()
    except VersionError as error:
        if not _is_command():
            raise
        print(f"toolway: {error}", file=sys.stderr)
        sys.exit(2)


def _is_command() -> bool:
    """Return whether this process is ``toolway`` or ``python -m toolway``."""
    program = sys.argv[0] if sys.argv else ""
    return Path(program).stem == "toolway" or (program == "-m" and "toolway" in sys.orig_argv)


def check_versions() -> None:
    """Compare the installed versions with the required ones.

    Raises:
        VersionError: a library is too old; the text names it and the command that upgrades it.
    """
    for name, needed in NEEDED.items():
        try:
            found = version(name)
        except PackageNotFoundError:  # vendored or frozen: its import fails if it is missing
            continue
        numbers = _numbers(found)
        needed = UNUSABLE.get(name, {}).get(numbers, needed)  # noqa: PLW2901 - stricter for this release
        if numbers < _numbers(needed):
            raise VersionError(
                f"toolway requires {name} {needed} or newer, but {found} is installed; "
                f"run: pip install --upgrade '{name}>={needed}'"
            )


def _numbers(text: str) -> tuple[int, ...]:
    release = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in release[0].split(".")) if release else ()
