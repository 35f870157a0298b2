"""The parts of an MCP request's ASGI scope that a tool call passes on to endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from starlette.datastructures import QueryParams
from starlette.types import Scope

from toolway.calls import CallContext, ProgressCallback, steady
from toolway.host.middleware import TELEMETRY_KEY
from toolway.openapi import NO_PARAMETERS

__all__ = ["GUARD_KEY", "http_context", "keep_scope_before_middleware", "keep_user", "outer_scope"]

GUARD_KEY = "toolway.guard"
"""The key of the scope with the parameters of the dependencies that guard the path of an MCP request."""

_USER = "toolway.user"
_BEFORE_MIDDLEWARE = "toolway.before_middleware"


def http_context(scope: Scope, report: ProgressCallback | None) -> CallContext:
    """Return the call context of an HTTP request."""
    headers = scope["headers"]
    query = scope.get("query_string", b"")
    root: str = scope.get("root_path", "")
    app = scope.get("app")
    host = b""
    for name, value in headers:
        if name == b"host":
            host = value
            break
    return CallContext(
        headers=headers,
        query=tuple(QueryParams(query).multi_items()) if query else (),
        client=scope.get("client"),
        scheme=scope.get("scheme"),
        host=host.strip(b" \t").decode("latin-1"),
        root_path=root,
        root_in_path=bool(root) and scope["path"].startswith(f"{root}/"),
        site=None if TELEMETRY_KEY in scope else app,
        app=app,
        outer=outer_scope(scope),
        outer_before_middleware=scope.get(_BEFORE_MIDDLEWARE),
        report=None if report is None else steady(report),
        guard=scope.get(GUARD_KEY, NO_PARAMETERS),
    )


def keep_user(scope: Scope) -> Scope:
    """Return the scope with a copy of its user, as the SDK replaces it with a user of its own."""
    return {**scope, _USER: scope.get("user")}


def keep_scope_before_middleware(scope: Scope) -> None:
    """Store a copy of the outer scope in the scope, before the application's middleware changes it."""
    outer = outer_scope(scope)
    if "state" in outer:
        outer["state"] = dict(outer["state"])
    scope[_BEFORE_MIDDLEWARE] = outer


def outer_scope(scope: Scope) -> dict[str, Any]:
    """Return `user`, `auth` and `state` as set by the server, an outer application or an ASGI wrapper."""
    found: dict[str, Any] = {}
    if (user := scope.get(_USER, scope.get("user"))) is not None:
        found["user"] = user
    if "auth" in scope:
        found["auth"] = scope["auth"]
    state = scope.get("state")
    if type(state) is dict or isinstance(state, Mapping):  # a dict in nearly every case, and the ABC check is slow
        found["state"] = cast("Mapping[str, Any]", state)
    return found
