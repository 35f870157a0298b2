"""What a server, an outer application or an ASGI wrapper has set on an MCP request, for the endpoints to see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["keep_scope_before_middleware", "keep_user", "outer_scope", "outer_scope_before_middleware"]

_USER = "toolway.user"
_BEFORE_MIDDLEWARE = "toolway.before_middleware"


def keep_user(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scope with its user kept, as the SDK needs that place for a user of its own."""
    return {**scope, _USER: scope.get("user")}


def keep_scope_before_middleware(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scope with a copy of what is set on it before the application's own middleware has run."""
    outer = outer_scope(scope)
    if "state" in outer:
        outer["state"] = dict(outer["state"])
    return {**scope, _BEFORE_MIDDLEWARE: outer}


def outer_scope(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return `user`, `auth` and `state` of a request, where they are set."""
    found: dict[str, Any] = {}
    if (user := scope.get(_USER, scope.get("user"))) is not None:
        found["user"] = user
    if "auth" in scope:
        found["auth"] = scope["auth"]
    state = scope.get("state")
    if type(state) is dict or isinstance(state, Mapping):  # as a rule it is one, and looking into ABCs takes its time
        found["state"] = cast("Mapping[str, Any]", state)
    return found


def outer_scope_before_middleware(scope: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the same as it was before the application's own middleware; None where that has none."""
    return scope.get(_BEFORE_MIDDLEWARE)
