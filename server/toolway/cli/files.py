"""An application named by its file: ``main.py`` or ``path/to/main.py:app``."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from fastapi import FastAPI

from toolway.app import Toolway
from toolway.errors import AppNotFoundError

__all__ = ["default_attribute", "module_name"]

_USUAL = ("app", "api", "application")


def module_name(file: str, folder: Path) -> str:
    """Return the name under which a file is imported, and let Python find it.

    A file in packages is imported as a part of the outermost one.

    Raises:
        AppNotFoundError: there is no such file.
    """
    path = (folder / file).resolve()
    if not path.is_file():
        raise AppNotFoundError(f"no file {file!r} in {str(folder)!r}")
    names = [] if path.stem == "__init__" else [path.stem]
    parent = path.parent
    while (parent / "__init__.py").is_file():
        names.insert(0, parent.name)
        parent = parent.parent
    sys.path.insert(0, str(parent))
    return ".".join(names)


def default_attribute(module: ModuleType, file: str) -> str:
    """Return the attribute that is the application: ``app``, ``api`` or ``application``, or else the only one.

    Raises:
        AppNotFoundError: there is none, or there are several.
    """
    found = [name for name, value in vars(module).items() if isinstance(value, FastAPI | Toolway)]
    for name in _USUAL:
        if name in found:
            return name
    if len(found) == 1:
        return found[0]
    choices = f"several applications: {', '.join(found)}" if found else "no FastAPI application"
    raise AppNotFoundError(f"{file!r} has {choices}; name one as {file}:attribute")
