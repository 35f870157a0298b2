"""Arguments that arrive as text: from a person, or as JSON text from a client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from toolway.catalog import EndpointTool, Tool
from toolway.catalog.schema.structure import ANY_TYPE, Structure, accepted_types
from toolway.errors import ArgumentError

__all__ = ["parse_json_text", "read_arguments"]

_LONGEST = 200
_JSON_STARTS = frozenset({"[", "{"})
_NOUNS: Mapping[type, str] = {list: "a list", dict: "an object"}


def read_arguments(tool: Tool, pairs: Mapping[str, str]) -> dict[str, Any]:
    """Parse each text as its argument's schema declares: a string is left unchanged, other types are JSON.

    Raises:
        ArgumentError: the argument does not accept a string, and the text is not JSON.
    """
    return {name: _parse_argument(tool, name, text) for name, text in pairs.items()}


def parse_json_text(name: str, structure: Structure, value: Any) -> Any:
    """Return a value with each JSON text in it parsed where its schema accepts an object or a list but no string.

    Some clients send nested objects and lists as JSON text. The value itself is not changed.

    Raises:
        ArgumentError: a text that looks like JSON is not JSON of a type that the schema accepts.
    """
    try:
        return _parse(name, structure, value)
    except RecursionError as error:
        raise ArgumentError(f"{name!r} is nested too deeply") from error


def _parse(name: str, structure: Structure, value: Any) -> Any:
    if isinstance(value, str) and structure.types and value.lstrip()[:1] in _JSON_STARTS:
        value = _load(name, structure.types, value)
    if isinstance(value, dict) and (structure.members or structure.other_members):
        members = cast("dict[str, Any]", value)
        inner = {key: structure.members.get(key, structure.other_members) for key in members}
        return {
            key: entry if (within := inner[key]) is None else _parse(f"{name}.{key}", within, entry)
            for key, entry in members.items()
        }
    if isinstance(value, list) and structure.items is not None:
        items = cast("list[Any]", value)
        return [_parse(f"{name}[{at}]", structure.items, entry) for at, entry in enumerate(items)]
    return cast("Any", value)


def _load(name: str, types: tuple[type, ...], text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, types):
        return value
    expected = " or ".join(_NOUNS[kind] for kind in types)
    raise ArgumentError(
        f"{name!r} must be {expected}, but was sent JSON as text that is not {expected}: {text[:_LONGEST]!r}. "
        "Send the value itself."
    )


def _accepted_types(tool: Tool, name: str) -> frozenset[str]:
    if isinstance(tool, EndpointTool):
        argument = tool.arguments.get(name)
        return accepted_types(argument.schema, tool.operation.components) if argument else ANY_TYPE
    schema = tool.input_schema.get("properties", {}).get(name)
    return accepted_types(schema, {}) if schema else ANY_TYPE


def _parse_argument(tool: Tool, name: str, text: str) -> Any:
    types = _accepted_types(tool, name)
    if types - {"null"} == frozenset({"string"}):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if "string" in types:
            return text
        raise ArgumentError(f"{name!r} must be JSON ({' or '.join(sorted(types))}), got {text!r}") from error
