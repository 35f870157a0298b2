"""What FastAPI has done for a request by the time that it reaches its endpoint, and does when that has failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, routing
from fastapi.exceptions import ValidationException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from toolway.calls.stack import handlers_of

__all__ = ["handled", "noted", "say_where"]

_CONTEXT = ("function", "file", "line", "path")
_routing: Any = routing  # whose functions are FastAPI's own affair, in releases that were read


def noted(app: FastAPI, route: Any, held: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what an application and its router note of a request that is for a route, besides the path's values.

    Args:
        app: the application.
        route: the route.
        held: what FastAPI keeps for itself, if it keeps anything (see `held_by`).
    """
    own = {
        "app": app,
        "router": app.router,
        "route": getattr(route, "original_route", route),
        "endpoint": route.endpoint,
    }
    return own if held is None else {**own, "fastapi": {**held}}


def handled(app: FastAPI, inner: ASGIApp) -> ASGIApp:
    """Put the application's exception handlers around what answers a request."""
    return ExceptionMiddleware(inner, handlers_of(app), debug=app.debug)


def say_where(error: ValidationException, dependant: Any, method: str, root_path: str) -> None:
    """Say of an error of FastAPI's own at which endpoint it came up; to read its source takes a while."""
    context: Any = {**_routing._extract_endpoint_context(dependant.call)}  # noqa: SLF001
    if dependant.path:
        context["path"] = f"{method} {root_path.rstrip('/')}{dependant.path}"
    error.endpoint_ctx = context
    for name in _CONTEXT:
        setattr(error, f"endpoint_{name}", context.get(name))
