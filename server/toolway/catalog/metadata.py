"""What a tool says about itself: title, description and hints."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast

from toolway.catalog.schema.sanitize import visible
from toolway.catalog.tool import Annotations
from toolway.errors import ConfigurationError
from toolway.markers import EXTENSION, TASKS, Hints, read_marker
from toolway.openapi import Operation

__all__ = ["annotations_of", "description_of", "is_described", "note_of", "title_of"]

_FIELDS = {
    "name": str,
    "title": str,
    "description": str,
    "when_to_use": str,
    "input_schema": Mapping,
    "output_schema": bool,
    "raw_body": bool,
    "hints": Mapping,
    "hide": bool,
    "task": str,
    "follow": bool,
    "ask_first": bool,
    "confirm": str,
    "lint_ignore": Mapping,
    "tool": bool,
    "resource": Mapping,
    "prompt": Mapping,
}
_KINDS: Mapping[type, str] = {str: "text", bool: "true or false", Mapping: "an object"}


def note_of(operation: Operation) -> Mapping[str, Any] | None:
    """What the endpoint says of itself, or None when it says nothing; a marker wins over the document.

    Raises:
        ConfigurationError: a field is unknown or has the wrong type.
    """
    marker = read_marker(operation.endpoint)
    if marker is None and operation.extension is None:
        return None
    note = {**_documented(operation), **(marker or {})}
    for key, value in note.items():
        _check_field(operation, key, value)
    return note


def _documented(operation: Operation) -> Mapping[str, Any]:
    extension = operation.extension
    if extension is None:
        return {}
    if not isinstance(extension, Mapping):
        raise ConfigurationError(f"{operation}: expected {EXTENSION} to be an object, found {extension!r}")
    return cast("Mapping[str, Any]", extension)


def _check_field(operation: Operation, key: str, value: object) -> None:
    if key not in _FIELDS:
        raise ConfigurationError(f"{operation}: {EXTENSION} knows the fields {', '.join(_FIELDS)}; found {key!r}")
    if not isinstance(value, _FIELDS[key]):
        raise ConfigurationError(f"{operation}: expected {key} to be {_KINDS[_FIELDS[key]]}, found {value!r}")
    if key == "task" and value not in TASKS:
        raise ConfigurationError(f"{operation}: expected task to be one of {', '.join(TASKS)}, found {value!r}")
    for hint, claim in cast("Mapping[str, object]", value).items() if key == "hints" else ():
        _check_hint(operation, hint, claim)
    for rule, reason in cast("Mapping[object, object]", value).items() if key == "lint_ignore" else ():
        _check_reason(operation, rule, reason)


def _check_hint(operation: Operation, hint: str, claim: object) -> None:
    if hint not in Hints.__annotations__:
        allowed = ", ".join(Hints.__annotations__)
        raise ConfigurationError(f"{operation}: hints knows {allowed}; found {hint!r}")
    if not isinstance(claim, bool):
        raise ConfigurationError(f"{operation}: expected the hint {hint} to be true or false, found {claim!r}")


def _check_reason(operation: Operation, rule: object, reason: object) -> None:
    if not isinstance(reason, str) or not reason.strip():
        raise ConfigurationError(f"{operation}: expected lint_ignore to give a reason for {rule!r}, found {reason!r}")


def title_of(operation: Operation, note: Mapping[str, Any], name: str) -> str:
    """The name that people see."""
    chosen = visible(note.get("title") or operation.summary).strip()
    return chosen or name.replace("_", " ").replace("-", " ").capitalize()


def description_of(operation: Operation, note: Mapping[str, Any]) -> str:
    """What the tool does, whether it is deprecated, and when to use it."""
    parts = [
        note.get("description") or _from_document(operation),
        "Deprecated: use another tool where there is one." if operation.deprecated else "",
        note.get("when_to_use") or "",
    ]
    return visible("\n\n".join(part.strip() for part in parts if part.strip()))


def is_described(operation: Operation, note: Mapping[str, Any]) -> bool:
    """Tell whether somebody wrote what the tool does; its description is made of its name or path otherwise."""
    summary = operation.summary.strip()
    written = note.get("description") or operation.description.strip()
    return bool(written or (summary and not _is_generated(summary, operation)))


def _from_document(operation: Operation) -> str:
    """Summary and docstring; the summary only where it adds words that the docstring has not."""
    text = inspect.cleandoc(operation.description)
    summary = operation.summary.strip()
    if text and (not summary or summary.casefold() in text.casefold() or _is_generated(summary, operation)):
        return text
    return "\n\n".join(part for part in (summary, text) if part) or _from_shape(operation)


def _is_generated(summary: str, operation: Operation) -> bool:
    """FastAPI makes a summary out of a function's name where nobody wrote one."""
    name = (operation.operation_id or "").removesuffix(operation.generated_suffix)
    function = getattr(operation.endpoint, "__name__", name)
    return summary.casefold() in {word.replace("_", " ").casefold() for word in (name, function)}


def _from_shape(operation: Operation) -> str:
    verbs = {"GET": "Get", "POST": "Create or run", "PUT": "Replace", "PATCH": "Change", "DELETE": "Delete"}
    words = [part for part in operation.path.split("/") if part and not part.startswith("{")]
    return f"{verbs.get(operation.method, operation.method)} {' '.join(words) or 'the root'}."


def annotations_of(operation: Operation, note: Mapping[str, Any]) -> Annotations:
    """Hints from the method (RFC 9110, section 9.2), overridden by what the endpoint says.

    What a method does not imply stays open: POST and PATCH may destroy or not, so neither is claimed.
    """
    reads = operation.method in {"GET", "HEAD", "OPTIONS", "TRACE"}
    deletes = operation.method == "DELETE"
    hints = cast("Hints", note.get("hints") or {})
    read_only = hints.get("read_only", reads)
    return Annotations(
        read_only=read_only,
        destructive=hints.get("destructive", False if read_only else True if deletes else None),
        idempotent=hints.get("idempotent", True if read_only or deletes or operation.method == "PUT" else None),
        open_world=hints.get("open_world", False),
    )
