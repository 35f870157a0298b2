"""Traversal of JSON Schemas that does not mistake data for schemas.

A ``default`` or an ``enum`` may hold an object with a key ``$ref`` or ``title``. Only keywords whose values are schemas
are visited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from toolway.openapi import Schema

__all__ = [
    "find_levels",
    "iter_children",
    "iter_references",
    "iter_schemas",
    "rewrite_by_level",
    "rewrite_schema",
]

_SCHEMA_KEYWORDS = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_LIST_KEYWORDS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPPING_KEYWORDS = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
_MEMBER_KEYWORDS = frozenset({"additionalProperties", "patternProperties", "properties"})
"""Keywords whose schemas describe the members of an object."""
_DEFS = "#/$defs/"


def iter_children(schema: Schema) -> Iterator[Schema]:
    """Yield the schemas directly inside a schema."""
    for key, value in schema.items():
        if key in _SCHEMA_KEYWORDS and isinstance(value, dict):
            yield value
        elif key in _LIST_KEYWORDS and isinstance(value, list):
            yield from (item for item in cast("list[Any]", value) if isinstance(item, dict))
        elif key in _MAPPING_KEYWORDS and isinstance(value, dict):
            yield from (item for item in cast("dict[str, Any]", value).values() if isinstance(item, dict))


def iter_schemas(schema: Schema) -> Iterator[Schema]:
    """Yield a schema and all schemas inside it."""
    pending = [schema]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(iter_children(node))


def iter_references(schema: Schema) -> Iterator[str]:
    """Yield every reference inside a schema."""
    return (reference for node in iter_schemas(schema) if isinstance(reference := node.get("$ref"), str))


def rewrite_schema(schema: Schema, change: Callable[[Schema, str | None], Schema], name: str | None = None) -> Schema:
    """Return a copy with `change` applied to every schema, innermost first.

    `change` gets a copy that it may alter, and the name of the property or definition that holds it, or None.
    """
    copy: Schema = {}
    for key, value in schema.items():
        if key in _SCHEMA_KEYWORDS and isinstance(value, dict):
            copy[key] = rewrite_schema(cast("Schema", value), change)
        elif key in _LIST_KEYWORDS and isinstance(value, list):
            copy[key] = [_rewrite_item(item, change, name) for item in cast("list[Any]", value)]
        elif key in _MAPPING_KEYWORDS and isinstance(value, dict):
            copy[key] = {
                label: _rewrite_item(item, change, label) for label, item in cast("dict[str, Any]", value).items()
            }
        else:
            copy[key] = value
    return change(copy, name)


def _rewrite_item(item: Any, change: Callable[[Schema, str | None], Schema], name: str | None) -> Any:
    return rewrite_schema(cast("Schema", item), change, name) if isinstance(item, dict) else item


def find_levels(schema: Schema) -> dict[str, int]:
    """Return the definitions that a schema uses, each with the level at which it is first used.

    The root has level 0, its properties have level 1, and the properties of these level 2. Items of a list have the
    level of the list.
    """
    definitions: dict[str, Schema] = schema.get("$defs") or {}
    levels: dict[str, int] = {}
    pending: list[tuple[Schema, int]] = [(schema, 0)]
    while pending:
        node, level = pending.pop()
        name = str(node.get("$ref", "")).removeprefix(_DEFS)
        if isinstance(definitions.get(name), dict) and level < levels.get(name, level + 1):
            levels[name] = level
            pending.append((definitions[name], level))
        for key, value in node.items():
            deeper = level + (key in _MEMBER_KEYWORDS)
            items: Iterable[Any]
            if isinstance(value, list):
                items = cast("list[Any]", value) if key in _LIST_KEYWORDS else ()
            elif isinstance(value, dict) and key != "$defs":
                entry = cast("Schema", value)
                items = entry.values() if key in _MAPPING_KEYWORDS else (entry,) if key in _SCHEMA_KEYWORDS else ()
            else:
                continue
            pending.extend([(cast("Schema", item), deeper) for item in items if isinstance(item, dict)])
    return levels


def rewrite_by_level(schema: Schema, change: Callable[[Schema, int], Schema]) -> Schema:
    """Return a copy with `change` applied to every schema, innermost first, and without unused definitions.

    `change` gets a copy that it may alter, and its level as `find_levels` counts them.
    """
    levels = find_levels(schema)
    definitions: dict[str, Schema] = schema.get("$defs") or {}
    root = _rewrite_node({key: value for key, value in schema.items() if key != "$defs"}, 0, change)
    written = {name: _rewrite_node(definitions[name], levels[name], change) for name in definitions if name in levels}
    used = find_levels({**root, "$defs": written})
    kept = {name: definition for name, definition in written.items() if name in used}
    return {**root, "$defs": kept} if kept else root


def _rewrite_node(node: Schema, level: int, change: Callable[[Schema, int], Schema]) -> Schema:
    copy: Schema = {}
    for key, value in node.items():
        deeper = level + (key in _MEMBER_KEYWORDS)

        def rewrite(item: Any, at: int = deeper) -> Any:
            return _rewrite_node(cast("Schema", item), at, change) if isinstance(item, dict) else item

        if key in _SCHEMA_KEYWORDS:
            copy[key] = rewrite(value)
        elif key in _LIST_KEYWORDS and isinstance(value, list):
            copy[key] = [rewrite(item) for item in cast("list[Any]", value)]
        elif key in _MAPPING_KEYWORDS and isinstance(value, dict):
            copy[key] = {name: rewrite(item) for name, item in cast("dict[str, Any]", value).items()}
        else:
            copy[key] = value
    return change(copy, level)
