"""Input schemas from markers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from toolway.errors import ConfigurationError
from toolway.markers import Marker
from toolway.openapi import Operation, Schema

__all__ = ["read_custom_schema"]


def read_custom_schema(
    operation: Operation, marker: Marker, arguments: Collection[str], *, accepts_extra: bool
) -> Schema | None:
    """Return a copy of the schema in an operation's marker, or None if there is none.

    Raises:
        ConfigurationError: the schema does not describe an object, or has an argument that the endpoint does not take.
    """
    schema = cast("Schema | None", marker.get("input_schema"))
    if schema is None:
        return None
    if schema.get("type") != "object":
        raise ConfigurationError(f"{operation}: expected input_schema to have the type 'object' at its root")
    unknown = sorted(set(cast("Mapping[str, Any]", schema.get("properties", {}))).difference(arguments))
    if unknown and not accepts_extra:
        known = ", ".join(arguments) or "no arguments"
        raise ConfigurationError(f"{operation}: input_schema has {unknown[0]!r}, but the endpoint takes {known}")
    return dict(schema)
