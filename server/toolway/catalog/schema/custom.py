"""An input schema that somebody wrote by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from toolway.errors import ConfigurationError
from toolway.openapi import Operation, Schema

__all__ = ["given_schema"]


def given_schema(
    operation: Operation, note: Mapping[str, Any], arguments: Collection[str], *, is_open: bool
) -> Schema | None:
    """Return the schema that an endpoint's marker gives, word for word; None where it gives none.

    Raises:
        ConfigurationError: it describes no object, or an argument that the endpoint does not take.
    """
    schema = cast("Schema | None", note.get("input_schema"))
    if schema is None:
        return None
    if schema.get("type") != "object":
        raise ConfigurationError(f"{operation}: expected input_schema to have the type 'object' at its root")
    unknown = sorted(set(cast("Mapping[str, Any]", schema.get("properties", {}))).difference(arguments))
    if unknown and not is_open:
        takes = ", ".join(arguments) or "nothing"
        raise ConfigurationError(f"{operation}: input_schema has {unknown[0]!r}, but the endpoint takes {takes}")
    return dict(schema)
