"""The fields of a marker that is no tool's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from toolway.errors import ConfigurationError
from toolway.markers import EXTENSION
from toolway.openapi import Operation

__all__ = ["COMPLETE", "marker_fields"]

COMPLETE = "complete"
"""The field that says where suggestions come from; an object, by argument."""


def marker_fields(operation: Operation, note: Mapping[str, Any], kind: str, texts: Sequence[str]) -> Mapping[str, str]:
    """Return the texts of a marker.

    Raises:
        ConfigurationError: a field is unknown, or of the wrong type; the text names it.
    """
    fields = cast("Mapping[str, Any]", note[kind])
    for key, value in fields.items():
        if key not in (*texts, COMPLETE):
            known = ", ".join((*texts, COMPLETE))
            raise ConfigurationError(f"{operation}: {kind} in {EXTENSION} knows the fields {known}; found {key!r}")
        wanted, words = (Mapping, "an object") if key == COMPLETE else (str, "text")
        if not isinstance(value, wanted):
            raise ConfigurationError(f"{operation}: expected the {kind}'s {key} to be {words}, found {value!r}")
    return {key: value for key, value in fields.items() if key in texts}
