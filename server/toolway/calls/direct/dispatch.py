"""The endpoints of an application that can be called without its ASGI stack, or without its router.

Only endpoints for which that makes no difference qualify: `support` checks the application, `eligibility` the endpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from fastapi import FastAPI
from starlette.types import ASGIApp

from toolway.calls.direct.after_middleware import AfterMiddlewareEndpoint
from toolway.calls.direct.direct_endpoint import DirectEndpoint
from toolway.calls.direct.eligibility import handler_config, is_injectable, is_values_only
from toolway.calls.direct.injected import InjectedEndpoint
from toolway.calls.direct.support import (
    ends_in_default_router,
    has_default_middleware,
    included_router_scopes,
    unsupported_reason,
)
from toolway.calls.direct.values_only import ValuesOnlyEndpoint
from toolway.openapi import Operation

__all__ = ["DirectDispatch"]

_NOT_CACHED = None, None
_Endpoint = TypeVar("_Endpoint")
_Cache: TypeAlias = dict[tuple[str, str], tuple[Operation, _Endpoint | None]]
"""Endpoints by method and path."""


class DirectDispatch:
    """The endpoints of one application that can be called directly."""

    def __init__(self, app: ASGIApp) -> None:
        self.off_reason = unsupported_reason(app) if isinstance(app, FastAPI) else "the application is not a FastAPI"
        """Why no endpoint can be called directly; empty if some can."""
        self._app = app if isinstance(app, FastAPI) and not self.off_reason else None
        self._stack: object = None
        self._has_default_middleware = self._ends_in_default_router = False
        self._router_scopes: Mapping[int, Mapping[str, Any]] = {}
        self._endpoints: _Cache[ValuesOnlyEndpoint | InjectedEndpoint] = {}
        self._after_middleware: _Cache[AfterMiddlewareEndpoint] = {}

    def count(self, operations: Iterable[Operation], sites: Collection[object]) -> int:
        """Return how many operations are called directly for MCP requests to the applications in `sites`."""
        app = self._app
        if app is None:
            return 0
        site = app if app in sites else None
        stack = app.middleware_stack
        app.middleware_stack = stack or app.build_middleware_stack()  # as the first request would
        try:
            return sum(bool(self.endpoint(entry, site) or self.after_middleware(entry)) for entry in operations)
        finally:
            app.middleware_stack = stack

    def endpoint(self, operation: Operation, site: object) -> ValuesOnlyEndpoint | InjectedEndpoint | None:
        """Return the endpoint of an operation; None if the call has to go through the ASGI stack.

        Args:
            operation: the operation.
            site: the application whose stack the MCP request has passed, untraced; None if it has not passed any.
        """
        app = self._app
        if app is None or site is not app:
            return None
        self._inspect(app)
        return _cached(self._endpoints, operation, self._find) if self._has_default_middleware else None

    def after_middleware(self, operation: Operation) -> AfterMiddlewareEndpoint | None:
        """Return the endpoint of an operation to call after the middleware; None if the router has to find it."""
        if self._app is None:
            return None
        self._inspect(self._app)
        if not self._ends_in_default_router:
            return None
        return _cached(self._after_middleware, operation, self._find_after_middleware)

    def _inspect(self, app: FastAPI) -> None:
        if app.middleware_stack is not self._stack:
            self._endpoints, self._after_middleware, self._stack = {}, {}, app.middleware_stack
            self._has_default_middleware = has_default_middleware(app)
            self._ends_in_default_router = ends_in_default_router(app)
            self._router_scopes = included_router_scopes(app)

    def _find(self, operation: Operation) -> ValuesOnlyEndpoint | InjectedEndpoint | None:
        endpoint = self._direct_endpoint(operation)
        if endpoint is None:
            return None
        is_plain = is_values_only(operation, endpoint.config)
        return ValuesOnlyEndpoint(endpoint) if is_plain else InjectedEndpoint(endpoint)

    def _find_after_middleware(self, operation: Operation) -> AfterMiddlewareEndpoint | None:
        endpoint = self._direct_endpoint(operation)
        if endpoint is None:
            return None
        is_plain = is_values_only(operation, endpoint.config)
        return AfterMiddlewareEndpoint(endpoint, ValuesOnlyEndpoint(endpoint) if is_plain else None)

    def _direct_endpoint(self, operation: Operation) -> DirectEndpoint | None:
        config = handler_config(operation)
        if self._app is None or config is None or not is_injectable(operation, config):
            return None
        scope = self._router_scopes.get(id(getattr(operation.route, "_effective_route", operation.route)))
        return DirectEndpoint(self._app, operation, config, scope)


def _cached(
    cache: _Cache[_Endpoint], operation: Operation, find: Callable[[Operation], _Endpoint | None]
) -> _Endpoint | None:
    key = operation.method, operation.path
    cached, endpoint = cache.get(key, _NOT_CACHED)
    if cached is not operation:  # the catalog was built again
        endpoint = find(operation)
        cache[key] = operation, endpoint
    return endpoint
