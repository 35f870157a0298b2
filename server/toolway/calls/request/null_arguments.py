"""Null for an argument that is left out, as clients of the strict profile have to send it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from toolway.openapi import Schema

__all__ = ["drop_nulls"]

_DEFS = "#/$defs/"


def drop_nulls(arguments: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Return arguments without the optional ones that are null, at every level that the input schema describes."""
    return _drop_members(arguments, [schema], schema.get("$defs", {}))


def _drop_members(
    values: Mapping[str, Any], schemas: list[Schema], definitions: Mapping[str, Schema]
) -> dict[str, Any]:
    objects = [part for schema in schemas for part in _iter_variants(schema, definitions) if "properties" in part]
    required = {name for part in objects for name in part.get("required") or ()}
    found: dict[str, Any] = {}
    for name, value in values.items():
        inner = [part["properties"][name] for part in objects if isinstance(part["properties"].get(name), dict)]
        if value is not None or not inner or name in required:
            found[name] = _drop(value, inner, definitions)
    return found


def _drop(value: Any, schemas: list[Schema], definitions: Mapping[str, Schema]) -> Any:
    if isinstance(value, dict):
        return _drop_members(cast("dict[str, Any]", value), schemas, definitions)
    if isinstance(value, list):
        variants = [part for schema in schemas for part in _iter_variants(schema, definitions)]
        items = [part["items"] for part in variants if isinstance(part.get("items"), dict)]
        return [_drop(entry, items, definitions) for entry in cast("list[Any]", value)]
    return value


def _iter_variants(schema: Schema, definitions: Mapping[str, Schema], depth: int = 0) -> Iterator[Schema]:
    """Yield a schema and those that it refers to or combines."""
    yield schema
    parts: list[Any] = [definitions.get(str(schema.get("$ref", "")).removeprefix(_DEFS))]
    for key in ("anyOf", "oneOf", "allOf"):
        parts.extend(schema.get(key) or ())
    for part in parts:
        if isinstance(part, dict) and depth < 8:
            yield from _iter_variants(cast("Schema", part), definitions, depth + 1)
