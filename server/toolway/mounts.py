"""Mounting: the route of an MCP endpoint, and the record of each application's Toolways and mounts."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Request, Response, params
from fastapi.routing import APIRoute
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway.errors import ConfigurationError
from toolway.host.app_state import state_of
from toolway.host.middleware import RouterBypassMiddleware, middleware_layers
from toolway.openapi import find_path, has_path

if TYPE_CHECKING:
    from collections.abc import Generator

    from toolway.app import Toolway
    from toolway.engine import Engine

__all__ = [
    "McpMount",
    "add_mcp_route",
    "bypassing_router",
    "check_path",
    "engines_of",
    "mounted_on",
    "mounts_on",
    "remember",
    "toolway_of",
    "warn_if_late",
]

logger = logging.getLogger("toolway")

_UNMOUNTED = 2
"""The number of unmounted Toolways to keep: two are enough to know that the command line has to choose."""
_OPTIONS: Mapping[str, Any] = {
    "methods": ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"],
    "include_in_schema": False,
    "name": "mcp",
}
"""Dependencies guard all methods; the endpoint rejects those that MCP does not use."""


@dataclass(frozen=True, slots=True)
class McpMount:
    """One mount of a Toolway."""

    engine: Engine
    site: FastAPI
    """The application that serves MCP over HTTP. For a router: the served application."""
    written: str
    """The path, with the prefix of the router itself."""
    handler: object
    """The endpoint function of the route."""
    is_on_router: bool
    bypass: tuple[Route, ASGIApp] | None
    """The route and the MCP endpoint, if requests may reach the endpoint without the router."""
    is_guarded: bool = False
    """Whether dependencies may guard the path: its own, or those of another application or router."""

    @property
    def path(self) -> str:
        """The path, including the prefixes of routers that include the router, if they are known."""
        return self._found or self.written

    @property
    def is_reached(self) -> bool:
        """Whether the site serves the path: a router may be included in another application, or in none."""
        return self._found is not None

    @property
    def _found(self) -> str | None:
        return find_path(self.site, self.handler) if self.is_on_router else self.written


def remember(app: FastAPI, engine: Engine) -> None:
    """Record a Toolway that is made for an application, or mounted on it."""
    known = state_of(app).engines
    unmounted = sum(not entry.mounts for entry in known)
    if engine not in known and (engine.mounts or unmounted < _UNMOUNTED):
        known.append(engine)


def engines_of(app: FastAPI) -> Sequence[Engine]:
    """Return the engines of an application, in the order in which their Toolways were made or mounted."""
    return state_of(app).engines


def mounted_on(app: FastAPI) -> Engine | None:
    """Return the engine that was mounted first on an application, or serves it from another one."""
    return state_of(app).mounted


def toolway_of(app: FastAPI) -> Toolway:
    """Return the Toolway that was mounted first on an application, or else the first that was made for it.

    Raises:
        ConfigurationError: no Toolway was made for the application.
    """
    state = state_of(app)
    for engine in (state.mounted, *state.engines):
        if engine is not None:
            return engine.toolway
    raise ConfigurationError(f"no Toolway was made for {app.title!r}; call Toolway(app)")


def mounts_on(site: FastAPI) -> Iterator[McpMount]:
    """Yield the mounts at which an application serves MCP."""
    mounts = (mount for engine in engines_of(site) for mount in engine.mounts)
    return (mount for mount in mounts if mount.site is site and mount.is_reached)


def check_path(path: str, target: FastAPI | APIRouter) -> None:
    """Check that MCP can be mounted at a path.

    Raises:
        ConfigurationError: the path is not absolute, or it is taken.
    """
    if not path.startswith("/") or path.endswith("/"):
        raise ConfigurationError(f"expected an absolute path without a trailing slash, such as '/mcp', got {path!r}")
    whole = path if isinstance(target, FastAPI) else target.prefix + path
    if has_path(target, whole):
        raise ConfigurationError(
            f"{whole!r} is already taken by another route; mount Toolway at a different path: mount('/agents')"
        )


def warn_if_late(path: str, target: FastAPI | APIRouter) -> None:
    """Log a warning if the application has started already: it will not start MCP before its next startup."""
    if isinstance(target, FastAPI) and target.middleware_stack is not None:  # built at the first call
        logger.warning(
            "MCP was mounted at %r after %r had started, so it is not served until a restart. "
            "Call mount() before startup.",
            path,
            target.title,
        )


def add_mcp_route(
    endpoint: ASGIApp, path: str, app: FastAPI | None, on: FastAPI | APIRouter, dependencies: Sequence[params.Depends]
) -> tuple[object, Route]:
    """Add a route before all others, as a mount that takes every path would hide it.

    The dependencies of another application, or of a router, guard the path as they guard its other routes. Those of the
    served application do not: they belong to its endpoints, and run with each call.

    Args:
        endpoint: the MCP endpoint.
        path: its path, below the prefix of a router.
        app: the application whose endpoints are called in this process, if there is one.
        on: the application or router to add the route to.
        dependencies: more dependencies that guard the path.

    Returns:
        The endpoint function of the route, by which it is found after a router has been included, and the route.

    Raises:
        ConfigurationError: a dependency is not a FastAPI dependency.
    """
    for dependency in dependencies:
        if not isinstance(dependency, params.Depends):  # pyright: ignore[reportUnnecessaryIsInstance] - unchecked input
            raise ConfigurationError(f"expected dependencies such as Depends(check), got {dependency!r}")
    router = on if isinstance(on, APIRouter) else on.router
    mcp = _handler(endpoint if on is app else _Unprefixed(app, endpoint))
    if on is app and not dependencies:
        routes: list[Any] = [Route(path, mcp, **_OPTIONS)]  # a Mount would redirect the path without a slash
    elif on is app:
        overrides = router.dependency_overrides_provider
        routes = [APIRoute(path, mcp, dependencies=dependencies, dependency_overrides_provider=overrides, **_OPTIONS)]
    else:
        paths = [path] if isinstance(on, FastAPI) else [path, f"{path}/"]
        routes = []
        for written in paths:
            router.add_api_route(written, mcp, dependencies=dependencies, **_OPTIONS)
            routes.append(router.routes.pop())
    if isinstance(on, FastAPI):  # a router's routes are compiled again where it is included, hence its second route
        routes[0].path_regex = re.compile(routes[0].path_regex.pattern.removesuffix("$") + "/?$")
    router.routes[:0] = routes
    return mcp, routes[0]


@contextmanager
def bypassing_router(mount: McpMount) -> Generator[None]:
    """Let requests pass from an application's middleware to the MCP endpoint, and calls to endpoints, past the router.

    The layer is added to the middleware stack while the application runs; ``user_middleware`` stays as it is.
    """
    app = mount.site
    if mount.bypass is None:
        yield
        return
    if app.middleware_stack is None:  # the lifespan runs without a server
        app.middleware_stack = app.build_middleware_stack()
    inner = (ExceptionMiddleware, RouterBypassMiddleware)
    outer = next((layer for layer in middleware_layers(app.middleware_stack) if isinstance(_next(layer), inner)), None)
    if outer is None:  # a layer does not show what it calls
        yield
        return
    route, endpoint = mount.bypass
    following = outer.app
    outer.app = bypass = RouterBypassMiddleware(following, route=route, router=app.router, endpoint=endpoint)
    try:
        yield
    finally:
        if outer.app is bypass:
            outer.app = following


def _next(layer: object) -> object:
    return getattr(layer, "app", None)


def _handler(endpoint: ASGIApp) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint function: other packages read the name and the signature of a route's endpoint."""

    async def mcp(request: Request) -> Response:
        return _McpResponse(endpoint, request)

    return mcp


class _McpResponse(Response):
    """The response of the MCP endpoint, after FastAPI has run the dependencies of the route."""

    def __init__(self, endpoint: ASGIApp, request: Request) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from toolway.protocol.http.endpoint import replay_body  # noqa: PLC0415 - it imports the MCP SDK

        body: bytes | None = getattr(self._request, "_body", None)  # a dependency has read it
        await self._endpoint(scope, receive if body is None else replay_body(body, receive), send)
        if self.background is not None:  # background tasks of the dependencies
            await self.background()


class _Unprefixed:
    """An endpoint on another application or router, whose mount prefix is not part of the API's paths."""

    def __init__(self, app: FastAPI | None, endpoint: ASGIApp) -> None:
        self._app = app
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None or scope.get("app") is not self._app:
            scope = {**scope, "root_path": ""}
        await self._endpoint(scope, receive, send)
