"""The middleware that toolway adds to an application, and a walk through an application's middleware stack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["HANDLER_KEY", "TELEMETRY_KEY", "Handler", "RouterBypassMiddleware", "middleware_layers"]

Handler: TypeAlias = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]
"""Handles a request; also receives the app that would have handled it by default."""
HANDLER_KEY = "toolway.handler"
"""The key of a request's `Handler` in its ASGI scope."""
TELEMETRY_KEY = "fastapi.telemetry"
"""The key in the scope of a request that FastAPI traces."""
_MAX_LAYERS = 100


class RouterBypassMiddleware:
    """The innermost middleware of an application, which sends requests to a route or a handler without the router.

    Apart from a request's own handler, it only looks at the path. The router gets every traced request, because it
    records the route in the trace. It also gets all requests if other middleware or another route now comes first.

    Args:
        app: the rest of the application's stack.
        route: the first route of the router.
        router: the application's router.
        endpoint: what handles the requests of the route.
    """

    def __init__(self, app: ASGIApp, route: Route, router: Router, endpoint: ASGIApp) -> None:
        self.app = app
        self._route = route
        self._endpoint = endpoint
        self._router = router
        self._is_last = isinstance(app, (ExceptionMiddleware, RouterBypassMiddleware)) and not route.param_convertors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        may_bypass = scope["type"] == "http" and self._is_last and TELEMETRY_KEY not in scope
        handler: Handler | None = scope.get(HANDLER_KEY)
        if may_bypass and handler is not None:
            await handler(self.app, scope, receive, send)
        elif may_bypass and self._is_for_route(scope):
            await self._endpoint(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _is_for_route(self, scope: Scope) -> bool:
        path: str = scope["path"]
        router = self._router
        if router.routes[:1] != [self._route] or router.middleware_stack != router.app:
            return False
        if path == self._route.path and not scope.get("root_path"):  # the usual case, and faster than `matches`
            return True
        return path.endswith(self._route.path) and self._route.matches(scope)[0] is Match.FULL


def middleware_layers(stack: object) -> Iterator[Any]:
    """Yield the layers of a middleware stack from the outside to the router.

    Ends at the first layer that does not have the next one as its attribute `app`.
    """
    layer: Any = stack
    for _ in range(_MAX_LAYERS):
        yield layer
        if isinstance(layer, Router) or not hasattr(layer, "app"):
            return
        layer = layer.app
