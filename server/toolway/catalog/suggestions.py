"""Where suggestions for the values of an argument come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from toolway.catalog.arguments import Argument
from toolway.catalog.schema.definitions import deref
from toolway.catalog.tool import Tool
from toolway.errors import ConfigurationError
from toolway.openapi import Operation, Schema

__all__ = ["Completion", "FindSource", "completions_of"]

FindSource: TypeAlias = Callable[[object], Tool | None]
"""Finds the operation that somebody named by its function or its id; None where it may not be served."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Suggestions for one argument: all of its values where they are few, or an operation that knows them."""

    choices: tuple[str, ...] = ()
    source: Tool | None = None
    text: str = ""
    """The argument of the source that takes what has been typed so far."""


def completions_of(tool: Tool, marked: Mapping[str, Any], find: FindSource) -> Mapping[str, Completion]:
    """Return the suggestions for a tool's arguments: from what a marker names, else from the values of an enumeration.

    Raises:
        ConfigurationError: the marker names an argument that there is not, or an operation that cannot suggest.
    """
    if unknown := marked.keys() - tool.arguments.keys():
        takes = ", ".join(tool.arguments) or "nothing"
        raise ConfigurationError(f"{tool.operation}: complete names {min(unknown)!r}, but the endpoint takes {takes}")
    found = {name: Completion(choices=choices_of(entry, tool.operation)) for name, entry in tool.arguments.items()}
    for name, reference in marked.items():
        if source := find(reference):
            found[name] = Completion(source=source, text=_text_argument(tool, name, source))
    return {name: entry for name, entry in found.items() if entry.choices or entry.source}


def _text_argument(tool: Tool, name: str, source: Tool) -> str:
    """The argument of the same name; else the first that is no other argument of what is completed."""
    if source.operation.method != "GET":
        raise ConfigurationError(f"{tool.operation}: only a GET operation can suggest {name!r}, not {source.operation}")
    free = next((entry for entry in source.arguments if entry not in tool.arguments), None)
    chosen = name if name in source.arguments else free
    if chosen is None:
        raise ConfigurationError(f"{source.operation} takes no text to suggest {name!r} for: give it a parameter")
    return chosen


def choices_of(argument: Argument, operation: Operation) -> tuple[str, ...]:
    """The values of an argument whose schema lists them."""
    return tuple(dict.fromkeys(_written(value) for value in _values(argument.schema, operation)))


def _values(schema: Schema, operation: Operation, depth: int = 0) -> Iterator[object]:
    schema = deref(schema, operation.components)
    if schema.get("type") == "boolean":
        yield from (True, False)
    elif "const" in schema:
        yield schema["const"]
    elif "enum" in schema:
        yield from (value for value in schema["enum"] if value is not None)
    variants = [*schema.get("anyOf", []), *schema.get("oneOf", []), *([schema["items"]] if "items" in schema else [])]
    for variant in variants if depth < _DEEPEST else ():
        if isinstance(variant, dict):
            yield from _values(cast("Schema", variant), operation, depth + 1)


_DEEPEST = 4


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
