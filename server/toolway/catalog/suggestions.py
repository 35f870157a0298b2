"""Sources of suggestions for the values of an argument."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from toolway.catalog.arguments import Argument
from toolway.catalog.schema.definitions import dereference
from toolway.catalog.tool import EndpointTool
from toolway.errors import ConfigurationError
from toolway.openapi import Operation, Schema

__all__ = ["Completion", "FindTool", "find_completions"]

_MAX_DEPTH = 4

FindTool: TypeAlias = Callable[[object], EndpointTool | None]
"""Returns the operation of an endpoint function or an operation id; None if the filters exclude it."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Suggestions for one argument: its enumerated values, or the operation that suggests values."""

    choices: tuple[str, ...] = ()
    source: EndpointTool | None = None
    text: str = ""
    """The argument of the source that takes the text typed so far."""


def find_completions(tool: EndpointTool, marked: Mapping[str, Any], find: FindTool) -> Mapping[str, Completion]:
    """Return the suggestions for a tool's arguments: from the marker's sources, else from enumerated values.

    Raises:
        ConfigurationError: the marker names an unknown argument, or an operation that cannot suggest values.
    """
    if unknown := marked.keys() - tool.arguments.keys():
        known = ", ".join(tool.arguments) or "none"
        raise ConfigurationError(
            f"{tool.operation}: complete names {min(unknown)!r}, which is not an argument; the arguments are {known}"
        )
    found = {name: Completion(choices=_list_choices(entry, tool.operation)) for name, entry in tool.arguments.items()}
    for name, reference in marked.items():
        if source := find(reference):
            found[name] = Completion(source=source, text=_choose_text_argument(tool, name, source))
    return {name: entry for name, entry in found.items() if entry.choices or entry.source}


def _choose_text_argument(tool: EndpointTool, name: str, source: EndpointTool) -> str:
    """Return the source's argument of the same name, else its first one that the tool does not have."""
    if source.operation.method != "GET":
        raise ConfigurationError(
            f"{tool.operation}: expected a GET operation to suggest values for {name!r}, found {source.operation}"
        )
    free = next((entry for entry in source.arguments if entry not in tool.arguments), None)
    chosen = name if name in source.arguments else free
    if chosen is None:
        raise ConfigurationError(
            f"{source.operation} cannot suggest values for {name!r}: it needs a parameter for the typed text"
        )
    return chosen


def _list_choices(argument: Argument, operation: Operation) -> tuple[str, ...]:
    values = _iter_values(argument.schema, operation)
    return tuple(dict.fromkeys(str(value).lower() if isinstance(value, bool) else str(value) for value in values))


def _iter_values(schema: Schema, operation: Operation, depth: int = 0) -> Iterator[object]:
    """Yield the values that a schema enumerates, including those of its variants and items."""
    schema = dereference(schema, operation.components)
    if schema.get("type") == "boolean":
        yield from (True, False)
    elif "const" in schema:
        yield schema["const"]
    elif "enum" in schema:
        yield from (value for value in schema["enum"] if value is not None)
    variants = [*schema.get("anyOf", []), *schema.get("oneOf", []), *([schema["items"]] if "items" in schema else [])]
    for variant in variants if depth < _MAX_DEPTH else ():
        if isinstance(variant, dict):
            yield from _iter_values(cast("Schema", variant), operation, depth + 1)
