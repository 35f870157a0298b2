"""Title, description and annotations of a tool."""

from __future__ import annotations

import inspect
from typing import cast

from toolway.catalog.schema.sanitize import strip_invisible
from toolway.catalog.tool import ToolAnnotations
from toolway.markers import Hints, Marker
from toolway.openapi import Operation

__all__ = ["build_annotations", "build_description", "build_title", "is_described"]

_VERBS = {"GET": "Get", "POST": "Create or run", "PUT": "Replace", "PATCH": "Change", "DELETE": "Delete"}


def build_title(operation: Operation, marker: Marker, name: str) -> str:
    """Return the name that people see."""
    title = strip_invisible(marker.get("title") or operation.summary).strip()
    return title or name.replace("_", " ").replace("-", " ").capitalize()


def build_description(operation: Operation, marker: Marker) -> str:
    """Return what the tool does, whether it is deprecated, and when to use it."""
    parts = [
        marker.get("description") or _describe_operation(operation),
        "Deprecated: use another tool where there is one." if operation.deprecated else "",
        marker.get("when_to_use") or "",
    ]
    return strip_invisible("\n\n".join(part.strip() for part in parts if part.strip()))


def is_described(operation: Operation, marker: Marker) -> bool:
    """Return whether an author wrote what the tool does; if not, its description is made from its name or path."""
    summary = operation.summary.strip()
    written = marker.get("description") or operation.description.strip()
    return bool(written or (summary and not _is_generated(summary, operation)))


def _describe_operation(operation: Operation) -> str:
    """Return the docstring, preceded by the summary if that adds anything; else a description of method and path."""
    text = inspect.cleandoc(operation.description)
    summary = operation.summary.strip()
    if text and (not summary or summary.casefold() in text.casefold() or _is_generated(summary, operation)):
        return text
    if summary or text:
        return "\n\n".join(part for part in (summary, text) if part)
    words = [part for part in operation.path.split("/") if part and not part.startswith("{")]
    return f"{_VERBS.get(operation.method, operation.method)} {' '.join(words) or 'the root'}."


def _is_generated(summary: str, operation: Operation) -> bool:
    """Return whether FastAPI made a summary from the name of the endpoint function."""
    name = (operation.operation_id or "").removesuffix(operation.generated_suffix)
    function = getattr(operation.endpoint, "__name__", name)
    return summary.casefold() in {word.replace("_", " ").casefold() for word in (name, function)}


def build_annotations(operation: Operation, marker: Marker) -> ToolAnnotations:
    """Return the hints that the method implies (RFC 9110, section 9.2), overridden by the marker's.

    POST and PATCH may or may not be destructive or idempotent, so their tools claim neither.
    """
    is_safe = operation.method in {"GET", "HEAD", "OPTIONS", "TRACE"}
    is_delete = operation.method == "DELETE"
    hints = cast("Hints", marker.get("hints") or {})
    read_only = hints.get("read_only", is_safe)
    return ToolAnnotations(
        read_only=read_only,
        destructive=hints.get("destructive", False if read_only else True if is_delete else None),
        idempotent=hints.get("idempotent", True if read_only or is_delete or operation.method == "PUT" else None),
        open_world=hints.get("open_world", False),
    )
