"""The application and filters that a project's ``pyproject.toml`` configures."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from toolway.catalog import Selection
from toolway.errors import AppNotFoundError, ConfigurationError
from toolway.openapi import is_document

__all__ = ["Project", "equivalent", "find_project"]

_KEYS = ("app", "include", "exclude", "expose")
_SIDED = re.compile(r"(?P<side>include|exclude)_(?P<key>operations|tags|paths|methods)")
_ELSEWHERE = {
    "route_maps": "include and exclude, by operations, tags, paths or methods",
    "route_map_fn": "include and exclude, by operations, tags, paths or methods",
    "mcp_names": "@agent_tool(name=...) at the endpoint",
    "mcp_component_fn": "@agent_tool(...) at the endpoint",
    "headers": "the setting TOOLWAY_FORWARD_HEADERS",
}
"""Options of fastapi-mcp and FastMCP, with their equivalent in toolway."""


@dataclass(frozen=True, slots=True)
class Project:
    """The tables ``[tool.toolway]`` and ``[tool.fastapi]`` of a ``pyproject.toml``."""

    folder: Path
    """The folder of the file."""
    app: str | None
    selection: Selection


def find_project(folder: Path) -> Project | None:
    """Return the nearest ``pyproject.toml``, from a folder upward, that configures an application.

    Raises:
        ConfigurationError: the file cannot be read, or has an unknown key or a wrong value.
    """
    for candidate in (folder, *folder.parents):
        file = candidate / "pyproject.toml"
        project = _read(file) if file.is_file() else None
        if project is not None:
            return project
    return None


def equivalent(option: str, *, is_flag: bool = False) -> str | None:
    """Return the equivalent of an option of fastapi-mcp or FastMCP, if it has one."""
    if sided := _SIDED.fullmatch(option):
        side, key = sided["side"], sided["key"]
        return f"--{side} {key}=NAME" if is_flag else f"{side} = {{ {key} = [...] }}"
    return _ELSEWHERE.get(option)


def _read(file: Path) -> Project | None:
    try:
        tools: Any = tomllib.loads(file.read_text("utf-8")).get("tool", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AppNotFoundError(f"cannot read {str(file)!r}: {error}") from error
    table, fastapi = _table(tools, "toolway", file), _table(tools, "fastapi", file)
    app = _text(table, "toolway", "app", file) or _text(fastapi, "fastapi", "entrypoint", file)
    if not table and app is None:
        return None
    if app is not None and is_document(app) and "://" not in app:
        app = str(file.parent / app)  # relative to the file, not to the current folder
    return Project(file.parent, app, _selection(table, file))


def _table(tools: Any, name: str, file: Path) -> dict[str, Any]:
    table: Any = cast("dict[str, Any]", tools).get(name, {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise AppNotFoundError(f"expected [tool.{name}] in {str(file)!r} to be a table, got {table!r}")
    return cast("dict[str, Any]", table)


def _text(table: dict[str, Any], name: str, key: str, file: Path) -> str | None:
    text = table.get(key)
    if text is not None and not isinstance(text, str):
        raise AppNotFoundError(f"expected {key} in [tool.{name}] of {str(file)!r} to be a string, got {text!r}")
    return text


def _selection(table: dict[str, Any], file: Path) -> Selection:
    where = f"[tool.toolway] in {str(file)!r}"
    for key in table:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            instead = equivalent(key) or (near[0] if near else f"one of {', '.join(_KEYS)}")
            raise ConfigurationError(f"{where} has the unknown key {key!r}; use {instead}")
    try:
        return Selection(table.get("include", {}), table.get("exclude", {}), table.get("expose", "all"))
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
