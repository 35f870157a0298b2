"""What toolway needs beside it, checked when it is imported: an old library would fail later, in words of its own."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from toolway.errors import VersionError

__all__ = ["NEEDED", "UNUSABLE", "check_versions", "insist_on_versions"]

NEEDED = {"fastapi": "0.115", "starlette": "0.37.2", "pydantic": "2.12", "mcp": "2.3"}
"""The oldest version of each library that works, as in the package's own requirements."""
UNUSABLE: dict[str, dict[tuple[int, ...], str]] = {"fastapi": {(0, 137, 0): "0.137.2", (0, 137, 1): "0.137.2"}}
"""Releases between those that work, and the next that does: their routes are a tree that nothing public walks."""


def insist_on_versions() -> None:
    """Check the versions; the ``toolway`` command ends with one line where an import raises.

    Raises:
        VersionError: as `check_versions`, unless this process is the command.
    """
    try:
        check_versions()
    except VersionError as error:
        if not _is_command():
            raise
        print(f"toolway: {error}", file=sys.stderr)
        sys.exit(2)


def _is_command() -> bool:
    """Tell whether this is ``toolway`` or ``python -m toolway``: neither can catch what importing itself raises."""
    program = sys.argv[0] if sys.argv else ""
    return Path(program).stem == "toolway" or (program == "-m" and "toolway" in sys.orig_argv)


def check_versions() -> None:
    """Compare what is installed with what is needed.

    Raises:
        VersionError: a library is too old; the text says which, and how to get a newer one.
    """
    for name, needed in NEEDED.items():
        try:
            found = version(name)
        except PackageNotFoundError:  # vendored or frozen: importing it will tell
            continue
        numbers = _numbers(found)
        needed = UNUSABLE.get(name, {}).get(numbers, needed)  # noqa: PLW2901 - what this very release lacks
        if numbers < _numbers(needed):
            raise VersionError(
                f"toolway needs {name} {needed} or newer, and {found} is installed; "
                f"run: pip install --upgrade '{name}>={needed}'"
            )


def _numbers(text: str) -> tuple[int, ...]:
    release = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in release[0].split(".")) if release else ()
