"""OpenAPI 3.0's own flavour of JSON Schema, turned into dialect 2020-12 (OpenAPI 3.1 needs no turning)."""

from __future__ import annotations

from typing import Any, cast

__all__ = ["upgrade"]

_DATA = frozenset({"const", "default", "enum", "example", "examples"})
"""Keywords whose values are no schemas, whatever they look like."""
_NAMES = frozenset({"parameters", "properties", "requestBodies", "responses", "schemas"})
"""Keywords whose values are objects with names for keys."""
_BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def upgrade(node: Any, *, has_names: bool = False) -> Any:
    """Return a copy of any part of a 3.0 document with its schemas in dialect 2020-12.

    With `has_names` the node's own keys are names that somebody chose, such as those of properties, and not keywords.
    """
    if isinstance(node, list):
        return [upgrade(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    entries = cast("dict[str, Any]", node).items()
    if has_names:
        return {key: upgrade(value) for key, value in entries}
    copy = {
        key: value if key in _DATA else upgrade(value, has_names=key in _NAMES and isinstance(value, dict))
        for key, value in entries
    }
    _turn_bounds(copy)
    return _turn_nullable(copy)


def _turn_bounds(schema: dict[str, Any]) -> None:
    for exclusive, inclusive in _BOUNDS.items():
        if schema.get(exclusive) is True and inclusive in schema:
            schema[exclusive] = schema.pop(inclusive)
        elif isinstance(schema.get(exclusive), bool):
            del schema[exclusive]


def _turn_nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(schema.get("nullable"), bool):
        return schema  # absent, or a property that happens to have this name
    if not schema.pop("nullable"):
        return schema
    outer = {key: schema.pop(key) for key in ("title", "description", "default", "deprecated") if key in schema}
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = list(schema["enum"])
    return {"anyOf": [schema, {"type": "null"}], **outer}
