"""The shape of an endpoint's result, as far as its OpenAPI document declares it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from toolway.catalog.schema.definitions import dereference, is_object
from toolway.media_types import essence, is_json
from toolway.openapi import MALFORMED_ERRORS, Operation, Schema

__all__ = ["find_row_schema"]


_PAGE_MEMBERS = frozenset(
    {"content", "data", "entries", "hits", "items", "objects", "records", "results", "rows", "values"}
)
"""Usual names of the array in a page."""


def find_row_schema(operation: Operation) -> Schema | None:
    """Return the schema of the objects that an operation lists; None if its result is not a list without a maximum.

    A list is an array or a map of objects, or a page: an object with one such array besides single values, such as a
    total and a cursor. The array is named like the end of the path, or has one of the usual names; others are parts of
    a single thing.
    """
    for response in operation.responses:
        if response.status.startswith("2") and response.schema and is_json(essence(response.media_type or "")):
            try:
                return _find_rows(dereference(response.schema, operation.components), operation)
            except MALFORMED_ERRORS:
                return None
    return None


def _find_rows(result: Schema, operation: Operation) -> Schema | None:
    components = operation.components
    if result.get("type") == "array":
        return _row_of(result, "items", components)
    members = cast("dict[str, Any]", result.get("properties", {}))
    if not members:
        return _row_of(result, "additionalProperties", components)
    schemas = {name: dereference(member, components) for name, member in members.items()}
    compound = {name: schema for name, schema in schemas.items() if is_object(schema) or schema.get("type") == "array"}
    if len(compound) != 1:
        return None
    ((name, schema),) = compound.items()
    is_page = name in _PAGE_MEMBERS or name == operation.path.rpartition("/")[2]
    return _row_of(schema, "items", components) if is_page else None


def _row_of(collection: Schema, keyword: str, components: Mapping[str, Schema]) -> Schema | None:
    """Return the schema of the items of an array, or of the values of a map; None if they are not objects."""
    item = collection.get(keyword)
    if not isinstance(item, dict) or "maxItems" in collection:
        return None
    row = dereference(cast("Schema", item), components)
    return row if is_object(row) else None
