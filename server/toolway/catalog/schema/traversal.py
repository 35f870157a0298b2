"""Traversal of JSON Schemas that does not mistake data for schemas.

A ``default`` or an ``enum`` may hold an object with a key ``$ref`` or ``title``. Only keywords whose values are schemas
are visited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from toolway.openapi import Schema

__all__ = ["iter_children", "iter_references", "iter_schemas", "rewrite_schema"]

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
