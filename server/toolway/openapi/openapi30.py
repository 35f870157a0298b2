"""Conversion of OpenAPI 3.0 documents, whose schemas have a dialect of their own, to OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["upgrade_document"]

_DATA = frozenset({"const", "default", "enum", "example", "examples"})
"""Keywords whose values are data, even if they look like schemas."""
_NAMED = frozenset({"parameters", "properties", "requestBodies", "responses", "schemas"})
"""Keywords whose values are objects with names as keys."""
_NAMED_COMPONENTS = frozenset({"parameters", "pathItems", "requestBodies", "responses", "schemas"})
_BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_TOO_DEEP = "an object that is nested too deeply"


def upgrade_document(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an OpenAPI 3.0 document with its schemas in JSON Schema 2020-12.

    An operation or component that is nested too deeply is replaced by a text, so that only this part is lost.
    """
    paths: Mapping[str, Any] = document.get("paths") or {}
    components: Mapping[str, Any] = document.get("components") or {}
    return {
        **document,
        "paths": {path: _upgrade_each(item) for path, item in paths.items()},
        "components": {
            kind: _upgrade_each(entries) if kind in _NAMED_COMPONENTS else _upgrade_part(entries)
            for kind, entries in components.items()
        },
    }


def _upgrade_each(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return node
    return {key: _upgrade_part(part) for key, part in cast("Mapping[str, Any]", node).items()}


def _upgrade_part(part: Any) -> Any:
    try:
        return _upgrade(part)
    except RecursionError:
        return _TOO_DEEP


def _upgrade(node: Any, *, has_names: bool = False) -> Any:
    """Return a copy of any part of a document; with `has_names`, the keys of the node are names and not keywords."""
    if isinstance(node, list):
        return [_upgrade(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    entries = cast("dict[str, Any]", node).items()
    if has_names:
        return {key: _upgrade(value) for key, value in entries}
    copy = {
        key: value if key in _DATA else _upgrade(value, has_names=key in _NAMED and isinstance(value, dict))
        for key, value in entries
    }
    _convert_bounds(copy)
    return _convert_nullable(copy)


def _convert_bounds(schema: dict[str, Any]) -> None:
    for exclusive, inclusive in _BOUNDS.items():
        if schema.get(exclusive) is True and inclusive in schema:
            schema[exclusive] = schema.pop(inclusive)
        elif isinstance(schema.get(exclusive), bool):
            del schema[exclusive]


def _convert_nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(schema.get("nullable"), bool):
        return schema  # absent, or a property that happens to have this name
    if not schema.pop("nullable"):
        return schema
    outer = {key: schema.pop(key) for key in ("title", "description", "default", "deprecated") if key in schema}
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = list(schema["enum"])
    return {"anyOf": [schema, {"type": "null"}], **outer}
