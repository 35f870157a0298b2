"""What FastAPI has done for a request by the time that it reaches its endpoint, and does when that has failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, routing
from fastapi.exceptions import ValidationException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from toolway.calls.equivalence import Made
from toolway.calls.stack import handlers_of
from toolway.operations import Operation

__all__ = ["Reached", "handled"]

_CONTEXT = ("function", "file", "line", "path")
_routing: Any = routing  # whose functions are FastAPI's own affair, in releases that were read


class Reached:
    """One endpoint, and what FastAPI says of requests that have reached it.

    Args:
        app: its application.
        operation: what it does; the route is the effective one, routers included.
        made: what its handler was made with.
        held: what FastAPI keeps for itself of a request, if it keeps anything (see `held_by`).
    """

    def __init__(self, app: FastAPI, operation: Operation, made: Made, held: Mapping[str, Any] | None) -> None:
        self.app = app
        self.route: Any = operation.route
        self.made = made
        # By which errors that come up here are known again; where that is, is read for them alone. FastAPI would not
        # keep an empty one.
        self.here: Any = {"function": getattr(made.dependant.call, "__name__", "")}
        self.writing = made.writing(self.here)
        self._method = operation.method
        self._held = held

    def noted(self, path: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the application and its router note of a request that is for this, with the path's values."""
        own = {
            "app": self.app,
            "router": self.app.router,
            "route": getattr(self.route, "original_route", self.route),
            "endpoint": self.route.endpoint,
            "path_params": path,
        }
        return own if self._held is None else {**own, "fastapi": {**self._held}}

    def say_where(self, error: Exception, root_path: str) -> None:
        """Say of an error of FastAPI's own that it came up here; to read the endpoint's source takes a while."""
        if not isinstance(error, ValidationException) or error.endpoint_ctx is not self.here:
            return
        dependant = self.made.dependant
        context: Any = {**_routing._extract_endpoint_context(dependant.call)}  # noqa: SLF001
        if dependant.path:
            context["path"] = f"{self._method} {root_path.rstrip('/')}{dependant.path}"
        error.endpoint_ctx = context
        for name in _CONTEXT:
            setattr(error, f"endpoint_{name}", context.get(name))


def handled(app: FastAPI, inner: ASGIApp) -> ASGIApp:
    """Put the application's exception handlers around what answers a request."""
    return ExceptionMiddleware(inner, handlers_of(app), debug=app.debug)
