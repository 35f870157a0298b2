"""The fields of an operation's marker, from the endpoint and from the OpenAPI document, checked against it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from string import Formatter
from typing import Any, cast

from toolway.catalog.field_paths import check_fields, parse_fields
from toolway.catalog.result_shape import find_result_schema
from toolway.errors import ArgumentError, ConfigurationError
from toolway.markers import EXTENSION, Marker, check_marker, read_marker
from toolway.openapi import Operation, Schema

__all__ = [
    "COMPLETE",
    "FIELDS",
    "read_concise_fields",
    "read_confirmation",
    "read_input_schema",
    "read_marker_texts",
    "read_operation_marker",
]

FIELDS = "fields"
"""The argument that selects fields of the result."""
COMPLETE = "complete"
"""The field that names the sources of suggestions, by argument."""


def read_operation_marker(operation: Operation) -> Marker | None:
    """Return the marker of an operation, or None; the endpoint's fields override those of the document.

    Raises:
        ConfigurationError: a field is unknown or has the wrong type.
    """
    marker, extension = read_marker(operation.endpoint), operation.extension
    if marker is None and extension is None:
        return None
    if extension is not None and not isinstance(extension, Mapping):
        raise ConfigurationError(f"{operation}: expected {EXTENSION} to be an object, found {extension!r}")
    merged = {**cast("Marker", extension or {}), **(marker or {})}
    check_marker(merged, operation)
    return merged


def read_marker_texts(operation: Operation, marker: Marker, kind: str, texts: Sequence[str]) -> Mapping[str, str]:
    """Return the text fields of a resource or a prompt (`kind`).

    Raises:
        ConfigurationError: a field is unknown or has the wrong type.
    """
    fields = cast("Mapping[str, Any]", marker[kind])
    for key, value in fields.items():
        if key not in (*texts, COMPLETE):
            known = ", ".join((*texts, COMPLETE))
            raise ConfigurationError(
                f"{operation}: {key!r} is not a field of {kind} in {EXTENSION}; its fields are {known}"
            )
        expected, name = (Mapping, "an object") if key == COMPLETE else (str, "a string")
        if not isinstance(value, expected):
            raise ConfigurationError(f"{operation}: expected the {kind}'s {key} to be {name}, found {value!r}")
    return {key: value for key, value in fields.items() if key in texts}


def read_input_schema(
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


def read_concise_fields(operation: Operation, marker: Marker, arguments: Collection[str]) -> tuple[str, ...]:
    """Return the fields of the result that agents get by default; empty for all of them.

    Raises:
        ConfigurationError: a path is not valid, or the endpoint has an argument ``fields`` of its own.
    """
    concise: object = marker.get("concise", ())
    try:
        tree = parse_fields(list(cast("Sequence[object]", concise)) if not isinstance(concise, str) else concise)
        check_fields(tree, find_result_schema(operation) or {}, operation.components)
    except ArgumentError as error:
        raise ConfigurationError(f"{operation}: concise={concise!r} is not valid: {error}") from error
    if tree and FIELDS in arguments:
        raise ConfigurationError(
            f"{operation}: concise needs an argument {FIELDS!r} with which agents get other fields, but the endpoint "
            "has one of its own; rename it, or leave out concise"
        )
    return tuple(cast("Sequence[str]", concise))


def read_confirmation(operation: Operation, marker: Mapping[str, Any], arguments: Collection[str]) -> str | None:
    """Return the question of a marker that the user must confirm, or None.

    Raises:
        ConfigurationError: it is empty, or has something else than an argument name in braces.
    """
    text: str | None = marker.get("confirm")
    if text is None:
        return None
    if not text.strip():
        raise ConfigurationError(f"{operation}: expected confirm to be a question, found {text!r}")
    takes = ", ".join(arguments) or "none"
    for name, extra in _placeholders(operation, text):
        if name not in arguments or extra:
            raise ConfigurationError(
                f"{operation}: expected only argument names in the braces of confirm, such as {{order_id}}, "
                f"found {name + extra!r}; the arguments are {takes}"
            )
    return text


def _placeholders(operation: Operation, text: str) -> list[tuple[str, str]]:
    """Return the names in braces, each with its format and conversion."""
    try:
        found = list(Formatter().parse(text))
    except ValueError as error:
        raise ConfigurationError(f"{operation}: confirm {text!r} cannot be read: {error}") from error
    return [(name, (spec or "") + (conversion or "")) for _, name, spec, conversion in found if name is not None]
