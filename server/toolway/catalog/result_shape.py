"""The shape of an endpoint's result, as far as its OpenAPI document declares it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from toolway.catalog.schema.definitions import dereference, is_object, with_local_definitions
from toolway.errors import DocumentError
from toolway.media_types import essence, is_json
from toolway.openapi import MALFORMED_ERRORS, Operation, Schema

__all__ = ["build_fields_schema", "find_result_schema", "find_rows"]

Rows: TypeAlias = tuple[str, Schema]
"""The path of the fields of a list's objects in a result, and the schema of these objects."""

_PAGE_MEMBERS = frozenset(
    {"content", "data", "entries", "hits", "items", "objects", "records", "results", "rows", "values"}
)
"""Usual names of the array in a page."""
_MANY_FIELDS = 5
"""The number of fields from which a selection saves more than the argument costs."""


def find_result_schema(operation: Operation) -> Schema | None:
    """Return the documented schema of the first successful JSON response; None or ``{}`` if it has none."""
    for response in operation.responses:
        if response.status.startswith("2") and is_json(essence(response.media_type or "")):
            return response.schema
    return None


def find_rows(operation: Operation) -> Rows | None:
    """Return the objects that an operation lists; None if its result is not a list without a maximum.

    A list is an array or a map of objects, or a page: an object with one such array besides single values, such as a
    total and a cursor. The array is named like the end of the path, or has one of the usual names; others are parts of
    a single thing.
    """
    schema, components = find_result_schema(operation), operation.components
    try:
        result = dereference(schema, components) if schema else {}
        if result.get("type") == "array":
            return _rows_of(result, "items", "", components)
        if "properties" not in result:
            return _rows_of(result, "additionalProperties", "*.", components)
        members = cast("dict[str, Schema]", result["properties"])
        schemas = {
            name: dereference(with_local_definitions(member, result), components) for name, member in members.items()
        }
        compound = [name for name, schema in schemas.items() if is_object(schema) or schema.get("type") == "array"]
        if len(compound) != 1 or compound[0] not in {*_PAGE_MEMBERS, operation.path.rpartition("/")[2]}:
            return None
        return _rows_of(schemas[compound[0]], "items", f"{compound[0]}[].", components)
    except (DocumentError, *MALFORMED_ERRORS):
        return None


def _rows_of(collection: Schema, keyword: str, path: str, components: Mapping[str, Schema]) -> Rows | None:
    item = collection.get(keyword)
    if not isinstance(item, dict) or "maxItems" in collection:
        return None
    row = dereference(with_local_definitions(cast("Schema", item), collection), components)
    return (path, row) if is_object(row) else None


def build_fields_schema(operation: Operation, concise: Sequence[str]) -> Schema | None:
    """Return the schema of the argument ``fields``; None for a tool whose results are small.

    Args:
        operation: a list whose objects have several fields has the argument.
        concise: the fields that are returned by default; a tool with these also has the argument.
    """
    path, row = find_rows(operation) or ("", {})
    names = [path + name for name in cast("dict[str, Any]", row.get("properties", {}))]
    if concise:
        text = f'Fields of the result, by default {json.dumps(list(concise))}; ["*"] for all.'
    elif len(names) >= _MANY_FIELDS:
        text = f"Return only these fields, such as {json.dumps(names[:2])}."
    else:
        return None
    return {"type": "array", "items": {"type": "string"}, "description": text}
