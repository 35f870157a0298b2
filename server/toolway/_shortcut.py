"""The short way to a route or an endpoint: from behind an application's middleware, past its router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["HANDLER_KEY", "TRACED", "Behind", "RouterBypassMiddleware"]

Behind: TypeAlias = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]
"""Takes a request on; gets what would have taken it on otherwise, too."""
HANDLER_KEY = "toolway.behind"
"""Where a request has in its scope what takes it on behind an application's middleware."""
TRACED = "fastapi.telemetry"
"""Where FastAPI keeps in a scope what it tells of a request, while it tells anything."""


class RouterBypassMiddleware:
    """The last middleware of an application, from which requests get to a route without the router.

    It looks at nothing but the path, unless a request knows its own way. One that is traced takes the whole way, as its
    route is noted there; so do all, should middleware or another route have come to stand before this one.
    """

    def __init__(self, app: ASGIApp, route: Route, router: Router, endpoint: ASGIApp) -> None:
        self.app = app
        self._route = route
        self._endpoint = endpoint
        self._router = router
        self._is_last = isinstance(app, (ExceptionMiddleware, RouterBypassMiddleware)) and not route.param_convertors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_short = scope["type"] == "http" and self._is_last and TRACED not in scope
        behind: Behind | None = scope.get(HANDLER_KEY)
        if is_short and behind is not None:
            await behind(self.app, scope, receive, send)
        elif is_short and self._is_meant(scope):
            await self._endpoint(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _is_meant(self, scope: Scope) -> bool:
        path: str = scope["path"]
        router = self._router
        if router.routes[:1] != [self._route] or router.middleware_stack != router.app:
            return False
        if path == self._route.path and not scope.get("root_path"):  # as most are; to match them takes its time
            return True
        return path.endswith(self._route.path) and self._route.matches(scope)[0] is Match.FULL
