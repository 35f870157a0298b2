"""The route at which MCP stands: on the application that is served, on another one, or on a router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response, params
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway._shortcut import RouterBypassMiddleware
from toolway.errors import ConfigurationError
from toolway.protocol.http.endpoint import replayed

__all__ = ["place"]

_OPTIONS: Mapping[str, Any] = {
    "methods": ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"],
    "include_in_schema": False,
    "name": "mcp",
}
"""All methods are guarded; the endpoint refuses those that it does not serve."""


def place(
    endpoint: ASGIApp, path: str, app: FastAPI | None, on: FastAPI | APIRouter, dependencies: Sequence[params.Depends]
) -> object:
    """Serve an ASGI application at a path, before all other routes: a mount that takes every path would swallow it.

    The dependencies of another application, or of a router, guard the path as they guard any other there. Those of the
    served application do not: they belong to its endpoints, ask for arguments as these do, and run with each call.

    Args:
        endpoint: what answers.
        path: below the prefix of a router.
        app: the application whose endpoints are called, where there is one in this process.
        on: where the path is.
        dependencies: what guards the path besides.

    Returns:
        The endpoint of the route, by which it is found when a router has been included somewhere.

    Raises:
        ConfigurationError: a dependency is none.
    """
    _check(dependencies)
    router = on if isinstance(on, APIRouter) else on.router
    mcp = _handler(endpoint if on is app else _Elsewhere(app, endpoint))

    def route(written: str) -> BaseRoute:
        if on is not app:
            router.add_api_route(written, mcp, dependencies=dependencies, **_OPTIONS)
            return router.routes.pop()
        if dependencies:
            overrides = router.dependency_overrides_provider
            return APIRoute(
                written, mcp, dependencies=dependencies, dependency_overrides_provider=overrides, **_OPTIONS
            )
        return Route(written, mcp, **_OPTIONS)  # a Mount would answer the bare path with a redirect

    bare = route(path)
    router.routes[:0] = [bare, route(f"{path}/")]  # clients write the address with a slash at its end, and without
    if type(bare) is Route and isinstance(on, FastAPI) and on.middleware_stack is None:
        on.user_middleware.append(Middleware(RouterBypassMiddleware, route=bare, router=router, endpoint=endpoint))
    return mcp


def _check(dependencies: Sequence[object]) -> None:
    for guard in dependencies:
        if not isinstance(guard, params.Depends):
            raise ConfigurationError(f"expected dependencies such as Depends(check), got {guard!r}")


def _handler(endpoint: ASGIApp) -> Callable[[Request], Awaitable[Response]]:
    """Return a function, as other packages expect one behind a route: they read its name and signature."""

    async def mcp(request: Request) -> Response:
        return _Handover(endpoint, request)

    return mcp


class _Handover(Response):
    """An answer that another ASGI application gives, once FastAPI has run the dependencies."""

    def __init__(self, endpoint: ASGIApp, request: Request) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body: bytes | None = getattr(self._request, "_body", None)  # a dependency has read it
        await self._endpoint(scope, receive if body is None else replayed(body, receive), send)
        if self.background is not None:  # work of the dependencies
            await self.background()


class _Elsewhere:
    """An endpoint on another application or router: what stands before that one's paths stands not before the API's."""

    def __init__(self, app: FastAPI | None, endpoint: ASGIApp) -> None:
        self._app = app
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None or scope.get("app") is not self._app:
            scope = {**scope, "root_path": ""}
        await self._endpoint(scope, receive, send)
