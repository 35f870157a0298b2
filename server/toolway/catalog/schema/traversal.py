"""Walking over JSON Schemas without mistaking data for schemas.

A ``default`` or an ``enum`` may hold an object with a key ``$ref`` or ``title``; only keywords whose value is a schema
are entered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from toolway.openapi import Schema

__all__ = ["children", "each_schema", "references", "rewritten"]

_ONE = frozenset(
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
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})


def children(schema: Schema) -> Iterator[Schema]:
    """Yield the schemas that stand directly inside a schema."""
    for key, value in schema.items():
        if key in _ONE and isinstance(value, dict):
            yield value
        elif key in _MANY and isinstance(value, list):
            yield from (item for item in cast("list[Any]", value) if isinstance(item, dict))
        elif key in _NAMED and isinstance(value, dict):
            yield from (item for item in cast("dict[str, Any]", value).values() if isinstance(item, dict))


def each_schema(schema: Schema) -> Iterator[Schema]:
    """Yield a schema and all schemas inside it."""
    pending = [schema]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(children(node))


def references(schema: Schema) -> Iterator[str]:
    """Yield every reference inside a schema."""
    return (reference for node in each_schema(schema) if isinstance(reference := node.get("$ref"), str))


def rewritten(schema: Schema, change: Callable[[Schema, str | None], Schema], name: str | None = None) -> Schema:
    """Return a copy in which `change` has been applied to every schema, from the inside out.

    `change` gets a copy it may alter, and the name of the property that holds it, where there is one.
    """
    copy: Schema = {}
    for key, value in schema.items():
        if key in _ONE and isinstance(value, dict):
            copy[key] = rewritten(cast("Schema", value), change)
        elif key in _MANY and isinstance(value, list):
            copy[key] = [_maybe(item, change, name) for item in cast("list[Any]", value)]
        elif key in _NAMED and isinstance(value, dict):
            copy[key] = {label: _maybe(item, change, label) for label, item in cast("dict[str, Any]", value).items()}
        else:
            copy[key] = value
    return change(copy, name)


def _maybe(item: Any, change: Callable[[Schema, str | None], Schema], name: str | None) -> Any:
    return rewritten(cast("Schema", item), change, name) if isinstance(item, dict) else item
