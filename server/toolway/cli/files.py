"""Loading of an application by its file: ``main.py`` or ``path/to/main.py:app``."""

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
    """Return the module name of a file, and add its folder to the import path.

    A file inside packages is imported as a submodule of the outermost package.

    Raises:
        AppNotFoundError: the file does not exist.
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
    """Return the name of the application in a module: ``app``, ``api``, ``application``, or the only one there.

    Raises:
        AppNotFoundError: the module has no application, or several.
    """
    found = [name for name, value in vars(module).items() if isinstance(value, FastAPI | Toolway)]
    for name in _USUAL:
        if name in found:
            return name
    if len(found) == 1:
        return found[0]
    if found:
        raise AppNotFoundError(f"{file!r} has several applications: {', '.join(found)}; pass one as {file}:attribute")
    raise AppNotFoundError(f"{file!r} has no FastAPI application; if a function returns it, pass {file}:function()")
