"""From what a person writes (``module:app``, ``module:make()``, a document) to what is served."""

from __future__ import annotations

import importlib
import sys
import tomllib
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from fastapi import FastAPI

from toolway._toolway import Toolway, mounted_on
from toolway.errors import AppNotFoundError
from toolway.operations import is_document

__all__ = ["Source", "find_source", "load_toolway", "told"]


@dataclass(frozen=True, slots=True)
class Source:
    """What to serve, and the folder that it is imported from."""

    text: str
    folder: Path

    @property
    def is_document(self) -> bool:
        return is_document(self.text)


def find_source(app: str | None, folder: Path) -> Source:
    """Take what was named, or else what the nearest ``pyproject.toml`` names in ``[tool.toolway] app``.

    Raises:
        AppNotFoundError: nothing was named, and no such file names anything.
    """
    if app is not None:
        return Source(app, folder.resolve())
    for candidate in _upward(folder):
        named = _named_in(candidate / "pyproject.toml")
        if named is not None:
            return Source(named, candidate)
    raise AppNotFoundError(
        "no application named: give it as module:attribute, or set app in [tool.toolway] of pyproject.toml"
    )


def _upward(folder: Path) -> Iterator[Path]:
    yield folder.resolve()
    yield from folder.resolve().parents


def _named_in(file: Path) -> str | None:
    if not file.is_file():
        return None
    try:
        named = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("toolway", {}).get("app")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AppNotFoundError(f"cannot read {str(file)!r}: {error}") from error
    if named is not None and not isinstance(named, str):
        raise AppNotFoundError(f"expected [tool.toolway] app in {str(file)!r} to be text, found {named!r}")
    return named


def load_toolway(source: Source) -> Toolway:
    """Import an application, and return the Toolway that is mounted on it or a new one.

    Raises:
        AppNotFoundError: there is no such module or attribute, its import or its factory fails, or what stands there is
            no FastAPI application.
    """
    module_name, colon, expression = source.text.partition(":")
    if not colon or not module_name or not expression:
        raise AppNotFoundError(
            f"expected module:attribute, module:factory() or an OpenAPI document, got {source.text!r}"
        )
    found = _attribute(_module(module_name, source.folder), expression.removesuffix("()"), source.text)
    if expression.endswith("()"):
        found = _made(found, source.text)
    if isinstance(found, Toolway):
        return found
    if not isinstance(found, FastAPI):
        hint = f"; is it a factory? Then write {source.text}()" if callable(found) else ""
        raise AppNotFoundError(f"expected a FastAPI application at {source.text!r}, found {_kind(found)}{hint}")
    return mounted_on(found) or Toolway(found)


def _module(name: str, folder: Path) -> ModuleType:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise AppNotFoundError(
                f"no module {name!r} in {str(folder)!r}; choose the folder with --app-dir"
            ) from error
        raise AppNotFoundError(f"importing {name!r} failed: no module {error.name!r}; install it first") from error
    except Exception as error:  # somebody else's code runs here
        raise AppNotFoundError(f"importing {name!r} failed: {told(error)}") from error


def _attribute(module: ModuleType, path: str, text: str) -> Any:
    found: Any = module
    for name in path.split("."):
        if not hasattr(found, name):
            near = get_close_matches(name, dir(found), n=1) or [
                key for key, value in vars(module).items() if isinstance(value, FastAPI)
            ]
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise AppNotFoundError(f"{text!r}: {module.__name__!r} has no attribute {name!r}{hint}")
        found = getattr(found, name)
    return found


def _made(factory: Any, text: str) -> Any:
    if not callable(factory):
        raise AppNotFoundError(f"{text!r} is no factory but {_kind(factory)}; leave the brackets out")
    try:
        return factory()
    except Exception as error:  # somebody else's code runs here
        raise AppNotFoundError(f"{text!r} failed: {told(error)}") from error


def _kind(found: object) -> str:
    return f"the module {found.__name__!r}" if isinstance(found, ModuleType) else f"a {type(found).__name__}"


def told(error: BaseException) -> str:
    """Tell an exception of somebody else's code in one line, with the place that it came from."""
    lines = str(error).strip().splitlines()
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{name}: {lines[0]}{place}" if lines else f"{name}{place}"
