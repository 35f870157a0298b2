"""What an endpoint says about itself as a tool.

A marker changes nothing about the endpoint: it only leaves a note on the function, which the catalogue reads. An
application that would rather not import toolway writes the same fields into
``openapi_extra={"x-toolway": {...}}``; where both stand, the marker wins field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypedDict, TypeVar

__all__ = ["EXTENSION", "Hints", "agent_tool", "read_marker"]

EXTENSION = "x-toolway"
_ATTRIBUTE = "__toolway__"

EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])


class Hints(TypedDict, total=False):
    """What a tool does to the world, where the HTTP method does not say it (MCP tool annotations)."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool


def agent_tool(
    *,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    when_to_use: str | None = None,
    hints: Hints | None = None,
    hide: bool | None = None,
) -> Callable[[EndpointT], EndpointT]:
    """Describe an endpoint as agents shall see it; put it below the route decorator.

    Args:
        name: the tool's name; the operation id otherwise.
        title: the name that people see; the summary otherwise.
        description: what the tool does; the endpoint's description otherwise.
        when_to_use: a sentence added to the description: when to take this tool, and when another.
        hints: overrides of what the HTTP method implies.
        hide: True keeps the endpoint out of the catalogue; it stays reachable over HTTP.

    With ``Toolway(app, expose="marked")`` only endpoints with a marker are tools.
    """
    fields = {
        "name": name,
        "title": title,
        "description": description,
        "when_to_use": when_to_use,
        "hints": hints,
        "hide": hide,
    }
    note = {key: value for key, value in fields.items() if value is not None}

    def mark(endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, _ATTRIBUTE, note)
        return endpoint

    return mark


def read_marker(endpoint: Callable[..., Any] | None) -> Mapping[str, Any] | None:
    """Return the note that `agent_tool` left on an endpoint, or None; decorators above it are looked through."""
    while endpoint is not None:
        note = getattr(endpoint, _ATTRIBUTE, None)
        if note is not None:
            return note
        endpoint = getattr(endpoint, "__wrapped__", None)
    return None
