"""The application that a command is about: APP on the command line, or what ``pyproject.toml`` configures."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from toolway.catalog import Selection
from toolway.errors import AppNotFoundError, ConfigurationError
from toolway.openapi import is_document

__all__ = ["AppSource", "Credentials", "find_source", "is_source", "suggest_equivalent"]

Credentials = dict[str, dict[str, SecretStr]]
"""Values of the settings `local_headers` and `local_query`."""

_KEYS = ("app", "include", "exclude", "expose")
_SIDE_OPTION = re.compile(r"(?P<side>include|exclude)_(?P<key>operations|tags|paths|methods)")
_EQUIVALENTS = {
    "route_maps": "include and exclude, by operations, tags, paths or methods",
    "route_map_fn": "include and exclude, by operations, tags, paths or methods",
    "mcp_names": "@agent_tool(name=...) at the endpoint",
    "mcp_component_fn": "@agent_tool(...) at the endpoint",
    "headers": "the setting TOOLWAY_FORWARD_HEADERS",
}
"""Options of fastapi-mcp and FastMCP, with their equivalent in toolway."""


@dataclass(frozen=True, slots=True)
class AppSource:
    """The application that a command is about, and how to load it."""

    text: str
    """APP as typed, or as the project names it."""
    folder: Path
    """The folder to import it from."""
    base_url: str | None = None
    """The URL of the API that an OpenAPI document describes."""
    selection: Selection = field(default_factory=Selection)
    """Filters added to those of the application."""
    credentials: Credentials = field(default_factory=Credentials)
    """Credentials of calls that arrive without HTTP."""

    @property
    def is_document(self) -> bool:
        return is_document(self.text)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command-line arguments that name the application, from any working folder."""
        if not self.is_document:
            return (self.text,)
        text = self.text if "://" in self.text else str(Path(self.text).absolute())
        return (text, "--base-url", self.base_url) if self.base_url else (text,)


def is_source(word: str) -> bool:
    """Return whether a word is APP rather than a tool name, which has neither a colon nor a dot."""
    return ":" in word.partition("=")[0] or word.endswith(".py") or is_document(word)


def find_source(
    app: str | None,
    folder: Path,
    base_url: str | None = None,
    selection: Selection | None = None,
    credentials: Credentials | None = None,
) -> AppSource:
    """Return the given application, or the one that the nearest ``pyproject.toml`` names.

    The filters of ``[tool.toolway]`` also apply, unless that table is for another application.

    Args:
        app: APP as typed, if any.
        folder: the folder to import it from.
        base_url: the URL of the API that an OpenAPI document describes.
        selection: filters from the command line.
        credentials: credentials of calls that arrive without HTTP.

    Raises:
        AppNotFoundError: no application was given, and no ``pyproject.toml`` names one.
        ConfigurationError: ``pyproject.toml`` is not valid.
    """
    folder, selection = folder.resolve(), selection or Selection()
    project = _find_project(folder)
    if app is None:
        if project is None or project.app is None:
            raise AppNotFoundError(
                "no application given: pass it as module:attribute, or set app in [tool.toolway] of pyproject.toml"
            )
        return AppSource(project.app, project.folder, base_url, project.selection.narrow(selection), credentials or {})
    if project is not None and project.app in {None, app}:
        selection = project.selection.narrow(selection)
    return AppSource(app, folder, base_url, selection, credentials or {})


@dataclass(frozen=True, slots=True)
class _Project:
    """The tables ``[tool.toolway]`` and ``[tool.fastapi]`` of a ``pyproject.toml``."""

    folder: Path
    """The folder of the file."""
    app: str | None
    selection: Selection


def _find_project(folder: Path) -> _Project | None:
    """Return the nearest ``pyproject.toml``, from a folder upward, that configures an application.

    Raises:
        ConfigurationError: the file cannot be read, or has an unknown key or a wrong value.
    """
    for candidate in (folder, *folder.parents):
        file = candidate / "pyproject.toml"
        project = _read_project(file) if file.is_file() else None
        if project is not None:
            return project
    return None


def suggest_equivalent(option: str, *, is_flag: bool = False) -> str | None:
    """Return the equivalent of an option of fastapi-mcp or FastMCP, if it has one."""
    if match := _SIDE_OPTION.fullmatch(option):
        side, key = match["side"], match["key"]
        return f"--{side} {key}=NAME" if is_flag else f"{side} = {{ {key} = [...] }}"
    return _EQUIVALENTS.get(option)


def _read_project(file: Path) -> _Project | None:
    try:
        tools: Any = tomllib.loads(file.read_text("utf-8")).get("tool", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AppNotFoundError(f"cannot read {str(file)!r}: {error}") from error
    table, fastapi = _read_table(tools, "toolway", file), _read_table(tools, "fastapi", file)
    app = _read_string(table, "toolway", "app", file) or _read_string(fastapi, "fastapi", "entrypoint", file)
    if not table and app is None:
        return None
    if app is not None and is_document(app) and "://" not in app:
        app = str(file.parent / app)  # relative to the file, not to the current folder
    return _Project(file.parent, app, _read_selection(table, file))


def _read_table(tools: Any, name: str, file: Path) -> dict[str, Any]:
    table: Any = cast("dict[str, Any]", tools).get(name, {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise AppNotFoundError(f"expected [tool.{name}] in {str(file)!r} to be a table, got {table!r}")
    return cast("dict[str, Any]", table)


def _read_string(table: dict[str, Any], name: str, key: str, file: Path) -> str | None:
    text = table.get(key)
    if text is not None and not isinstance(text, str):
        raise AppNotFoundError(f"expected {key} in [tool.{name}] of {str(file)!r} to be a string, got {text!r}")
    return text


def _read_selection(table: dict[str, Any], file: Path) -> Selection:
    where = f"[tool.toolway] in {str(file)!r}"
    for key in table:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            instead = suggest_equivalent(key) or (near[0] if near else f"one of {', '.join(_KEYS)}")
            raise ConfigurationError(f"{where} has the unknown key {key!r}; use {instead}")
    try:
        return Selection(table.get("include", {}), table.get("exclude", {}), table.get("expose", "all"))
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
