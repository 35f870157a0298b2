"""Which endpoints of an application are called without its ASGI stack, or without what ends it.

Only those are where nobody could tell the difference (`stack` of applications, `equivalence` of endpoints).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from fastapi import FastAPI
from starlette.types import ASGIApp

from toolway.calls.direct.after_middleware import AfterMiddlewareEndpoint
from toolway.calls.direct.direct_endpoint import DirectEndpoint
from toolway.calls.direct.eligibility import handler_config, is_injectable, is_values_only
from toolway.calls.direct.injected import SolvedEndpoint
from toolway.calls.direct.support import (
    ends_in_default_router,
    has_default_middleware,
    included_router_scopes,
    unsupported_reason,
)
from toolway.calls.direct.values_only import PlainEndpoint
from toolway.openapi import Operation

__all__ = ["DirectDispatch"]

_UNKNOWN = None, None
_Called = TypeVar("_Called")
_Known: TypeAlias = dict[tuple[str, str], tuple[Operation, _Called | None]]
"""What is known of operations, by method and path."""


class DirectDispatch:
    """The endpoints of one application that may be called without its ASGI stack, or without what ends it."""

    def __init__(self, app: ASGIApp) -> None:
        self.off_reason = unsupported_reason(app) if isinstance(app, FastAPI) else "the application is not a FastAPI"
        """Why no endpoint is called directly; empty if some may be."""
        self._app = app if isinstance(app, FastAPI) and not self.off_reason else None
        self._stack: object = None
        self._is_plain = self._has_plain_end = False
        self._held: Mapping[int, Mapping[str, Any]] = {}
        self._known: _Known[PlainEndpoint | SolvedEndpoint] = {}
        self._known_behind: _Known[AfterMiddlewareEndpoint] = {}

    def count(self, operations: Iterable[Operation], sites: Collection[object]) -> int:
        """Return how many operations are called directly for MCP requests to the applications in `sites`."""
        app = self._app
        if app is None:
            return 0
        site = app if app in sites else None
        stack = app.middleware_stack
        app.middleware_stack = stack or app.build_middleware_stack()  # as its first request does
        try:
            return sum(bool(self.endpoint(operation, site) or self.behind(operation)) for operation in operations)
        finally:
            app.middleware_stack = stack

    def endpoint(self, operation: Operation, site: object) -> PlainEndpoint | SolvedEndpoint | None:
        """Return what an operation calls, or None where the call has to go through the stack.

        Args:
            operation: what is called.
            site: the application whose stack the caller's own request has just come through, untraced; None where it
                has not.
        """
        app = self._app
        if app is None or site is not app:
            return None
        self._look_at(app)
        return _kept(self._known, operation, self._found) if self._is_plain else None

    def behind(self, operation: Operation) -> AfterMiddlewareEndpoint | None:
        """Return what an operation calls behind the application's middleware, or None where the router finds that."""
        if self._app is None:
            return None
        self._look_at(self._app)
        return _kept(self._known_behind, operation, self._found_behind) if self._has_plain_end else None

    def _look_at(self, app: FastAPI) -> None:
        if app.middleware_stack is not self._stack:
            self._known, self._known_behind, self._stack = {}, {}, app.middleware_stack
            self._is_plain, self._has_plain_end = has_default_middleware(app), ends_in_default_router(app)
            self._held = included_router_scopes(app)

    def _found(self, operation: Operation) -> PlainEndpoint | SolvedEndpoint | None:
        reached = self._reached(operation)
        if reached is None:
            return None
        return PlainEndpoint(reached) if is_values_only(operation, reached.made) else SolvedEndpoint(reached)

    def _found_behind(self, operation: Operation) -> AfterMiddlewareEndpoint | None:
        reached = self._reached(operation)
        if reached is None:
            return None
        return AfterMiddlewareEndpoint(
            reached, PlainEndpoint(reached) if is_values_only(operation, reached.made) else None
        )

    def _reached(self, operation: Operation) -> DirectEndpoint | None:
        made = handler_config(operation)
        if self._app is None or made is None or not is_injectable(operation, made):
            return None
        held = self._held.get(id(getattr(operation.route, "_effective_route", operation.route)))
        return DirectEndpoint(self._app, operation, made, held)


def _kept(known: _Known[_Called], operation: Operation, find: Callable[[Operation], _Called | None]) -> _Called | None:
    key = operation.method, operation.path
    last, endpoint = known.get(key, _UNKNOWN)
    if last is not operation:  # the catalogue has been read again
        endpoint = find(operation)
        known[key] = operation, endpoint
    return endpoint
