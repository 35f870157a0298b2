"""Markers of operations, from the endpoint and from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolway.errors import ConfigurationError
from toolway.markers import EXTENSION, Marker, check_marker, read_marker
from toolway.openapi import Operation

__all__ = ["COMPLETE", "read_marker_texts", "read_operation_marker"]

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
