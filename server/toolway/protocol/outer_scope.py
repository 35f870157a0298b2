"""What a server, an outer application or an ASGI wrapper has set on an MCP request, for the endpoints to see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["keep_outer_scope", "outer_scope"]

_KEY = "toolway.outer"
_MEMBERS = ("user", "auth", "state")


def keep_outer_scope(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scope with a copy of what is set on it now, before anything else of this process changes that."""
    return {**scope, _KEY: outer_scope(scope)}


def outer_scope(scope: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `user`, `auth` and `state` of a request, as they were before the application and the SDK changed them."""
    kept: Mapping[str, Any] | None = scope.get(_KEY)
    if kept is not None:
        return kept
    found = {key: scope[key] for key in _MEMBERS if key in scope}
    if isinstance(state := found.get("state"), Mapping):
        found["state"] = dict(state)
    return found
