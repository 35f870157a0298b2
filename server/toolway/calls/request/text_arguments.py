"""Values as people write them, read as their arguments take them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from toolway.catalog import Tool
from toolway.catalog.schema.definitions import deref
from toolway.errors import ArgumentError
from toolway.openapi import Schema

__all__ = ["read_arguments", "read_json_text"]

_LONGEST = 200
_TEXT = frozenset({"string"})
_ANYTHING = frozenset({"anything"})
_STRUCTURES: Mapping[str, tuple[type, str]] = {"array": (list, "a list"), "object": (dict, "an object")}


def read_arguments(tool: Tool, pairs: Mapping[str, str]) -> dict[str, Any]:
    """Read every value as its argument's schema says: text stays text, anything else is JSON.

    Raises:
        ArgumentError: a value that cannot be text is not JSON either.
    """
    return {name: _value(tool, name, text) for name, text in pairs.items()}


def read_json_text(tool: Tool, name: str, text: str) -> Any:
    """Return the object or list in a text, as some clients send them as JSON text; other text is returned as it is.

    Text stays text where the argument accepts a string.

    Raises:
        ArgumentError: the text is not JSON of a type that the argument accepts.
    """
    kinds = _kinds(tool.arguments[name].schema, tool)
    structures = [_STRUCTURES[kind] for kind in sorted(kinds & _STRUCTURES.keys())]
    if not structures or kinds & (_TEXT | _ANYTHING):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, tuple(kind for kind, _ in structures)):
        return value
    expected = " or ".join(words for _, words in structures)
    raise ArgumentError(
        f"{name!r} must be {expected}, but was sent JSON as text that is not {expected}: {text[:_LONGEST]!r}. "
        "Send the value itself."
    )


def _value(tool: Tool, name: str, text: str) -> Any:
    argument = tool.arguments.get(name)
    kinds = _kinds(argument.schema, tool) if argument else _ANYTHING
    if kinds - {"null"} == _TEXT:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if kinds & (_TEXT | _ANYTHING):
            return text
        raise ArgumentError(f"{name} takes JSON ({' or '.join(sorted(kinds))}), got {text!r}") from error


def _kinds(schema: Schema, tool: Tool, depth: int = 0) -> frozenset[str]:
    """The JSON types that a schema takes."""
    schema = deref(schema, tool.operation.components)
    variants: list[Schema] = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    if variants and depth < 8:
        return frozenset[str]().union(*(_kinds(variant, tool, depth + 1) for variant in variants))
    kind: Any = schema.get("type")
    if kind is None:
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        return _TEXT if values and all(isinstance(value, str) for value in values) else _ANYTHING
    return frozenset(cast("list[str]", kind) if isinstance(kind, list) else [str(kind)])
