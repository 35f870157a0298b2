"""What the user is asked before a tool runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from string import Formatter
from typing import Any

from toolway.errors import ConfigurationError
from toolway.openapi import Operation

__all__ = ["confirmation_of"]


def confirmation_of(operation: Operation, note: Mapping[str, Any], arguments: Collection[str]) -> str | None:
    """Return the question that a marker wants asked, or None.

    Raises:
        ConfigurationError: it says nothing, or has something else in braces than the name of an argument.
    """
    text: str | None = note.get("confirm")
    if text is None:
        return None
    if not text.strip():
        raise ConfigurationError(f"{operation}: expected confirm to be a question, found {text!r}")
    takes = ", ".join(arguments) or "nothing"
    for name, extra in _fields(operation, text):
        if name not in arguments or extra:
            raise ConfigurationError(
                f"{operation}: confirm may hold the names of arguments in braces, such as {{order_id}}, and nothing "
                f"else there; the tool takes {takes}; found {name + extra!r}"
            )
    return text


def _fields(operation: Operation, text: str) -> list[tuple[str, str]]:
    try:
        found = list(Formatter().parse(text))
    except ValueError as error:
        raise ConfigurationError(f"{operation}: confirm {text!r} cannot be read: {error}") from error
    return [(name, (spec or "") + (conversion or "")) for _, name, spec, conversion in found if name is not None]
