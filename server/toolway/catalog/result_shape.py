"""The shape of an endpoint's result, as far as its OpenAPI document declares it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from toolway.catalog.schema.definitions import dereference, is_object
from toolway.media_types import essence, is_json
from toolway.openapi import MALFORMED_ERRORS, Operation, Schema

__all__ = ["find_row_schema"]


def find_row_schema(operation: Operation) -> Schema | None:
    """Return the schema of the objects that an operation lists; None if its result is not a list without a maximum.

    A list is an array or a map of objects, or a page: an object with one such array besides single values, such as a
    total and a cursor. An object with a path parameter at the end of its path is a single thing rather than a page.
    """
    for response in operation.responses:
        if response.status.startswith("2") and response.schema and is_json(essence(response.media_type or "")):
            try:
                result = dereference(response.schema, operation.components)
                if "properties" in result and operation.path.endswith("}"):
                    return None
                return _find_rows(result, operation.components)
            except MALFORMED_ERRORS:
                return None
    return None


def _find_rows(result: Schema, components: Mapping[str, Schema]) -> Schema | None:
    if result.get("type") == "array":
        return _row_of(result, "items", components)
    members = cast("dict[str, Any]", result.get("properties", {}))
    if not members:
        return _row_of(result, "additionalProperties", components)
    schemas = [dereference(member, components) for member in members.values()]
    compound = [schema for schema in schemas if "properties" in schema or schema.get("type") in {"array", "object"}]
    is_page = len(compound) == 1 and compound[0].get("type") == "array"
    return _row_of(compound[0], "items", components) if is_page else None


def _row_of(collection: Schema, keyword: str, components: Mapping[str, Schema]) -> Schema | None:
    """Return the schema of the items of an array, or of the values of a map; None if they are not objects."""
    item = collection.get(keyword)
    if not isinstance(item, dict) or "maxItems" in collection:
        return None
    row = dereference(cast("Schema", item), components)
    return row if is_object(row) else None
