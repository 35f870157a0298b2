"""The short way to a route: from behind an application's middleware, past its router."""

from __future__ import annotations

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["TRACED", "ShortCut"]

TRACED = "fastapi.telemetry"
"""Where FastAPI keeps in a scope what it tells of a request, while it tells anything."""


class ShortCut:
    """The last middleware of an application, from which requests get to a route without the router.

    It looks at nothing but the path. A request that is traced takes the whole way, as its route is noted there; so do
    all, should other middleware have come to stand behind this.
    """

    def __init__(self, app: ASGIApp, route: Route) -> None:
        self.app = app
        self._route = route
        self._tail = route.path
        self._is_last = isinstance(app, (ExceptionMiddleware, ShortCut))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_near = scope["type"] == "http" and scope["path"].endswith(self._tail)
        if is_near and self._is_last and TRACED not in scope:
            match, found = self._route.matches(scope)
            if match is Match.FULL:
                await self._route.endpoint({**scope, **found}, receive, send)
                return
        await self.app(scope, receive, send)
