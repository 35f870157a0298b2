"""What toolway needs beside it, checked when it is imported: an old library would fail later, in words of its own."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

from toolway.errors import VersionError

__all__ = ["NEEDED", "check_versions"]

NEEDED = {"fastapi": "0.115", "starlette": "0.37.2", "pydantic": "2.12", "mcp": "2.3"}
"""The oldest version of each library that works, as in the package's own requirements."""


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
        if _numbers(found) < _numbers(needed):
            raise VersionError(
                f"toolway needs {name} {needed} or newer, and {found} is installed; "
                f"run: pip install --upgrade '{name}>={needed}'"
            )


def _numbers(text: str) -> tuple[int, ...]:
    release = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in release[0].split(".")) if release else ()
