"""The routes of a FastAPI application, including those of its routers and of the applications mounted in it.

Since FastAPI 0.137, ``app.routes`` is a tree, and a route's effective path, responses and dependencies are properties
of its context. Older releases have a flat list of routes. Functions here accept both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi import routing as fastapi_routing
from fastapi.dependencies.models import Dependant
from starlette.routing import BaseRoute, Mount

from toolway.host.middleware import RouterBypassMiddleware

__all__ = [
    "find_path",
    "has_endpoint",
    "has_path",
    "iter_applications",
    "iter_dependencies",
    "iter_routes",
    "may_inspect_callers",
    "mounted_application",
    "original_route",
    "route_path",
]

_IDENTITY_MIDDLEWARE = frozenset(
    {"starlette.middleware.authentication", "starlette.middleware.base", "starlette.middleware.sessions"}
)
"""Modules of Starlette whose middleware may treat callers differently."""


def iter_routes(routes: Sequence[BaseRoute]) -> Iterator[Any]:
    """Yield every route in the router's order, with its effective path."""
    iterate = getattr(fastapi_routing, "iter_route_contexts", iter)
    yield from iterate(routes)


def original_route(route: Any) -> BaseRoute:
    """Return the route object that the application or a router was given."""
    return getattr(route, "original_route", route)


def route_path(route: Any) -> str:
    """Return the effective path of a route, with the prefixes of its routers."""
    # FastAPI 0.137 leaves the path of a router's WebSockets, mounts and plain routes empty.
    return str(route.path or getattr(route, "starlette_route", route).path)


def mounted_application(route: Any) -> FastAPI | None:
    """Return the FastAPI application that a route mounts, or None."""
    mount = original_route(route)
    app = getattr(mount, "_base_app", mount.app) if isinstance(mount, Mount) else None
    return app if isinstance(app, FastAPI) else None


def iter_applications(app: FastAPI) -> Iterator[FastAPI]:
    """Yield an application and those mounted in it."""
    yield app
    for route in iter_routes(app.routes):
        if inner := mounted_application(route):
            yield from iter_applications(inner)


def iter_dependencies(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    """Yield the functions of all dependencies, each followed by its own dependencies."""
    for inner in dependant.dependencies:
        if inner.call is not None:
            yield inner.call
        yield from iter_dependencies(inner)


def has_path(app: FastAPI | APIRouter, path: str) -> bool:
    """Return whether a route or a mount has exactly this path."""
    return any(getattr(route, "path", None) == path for route in iter_routes(app.routes))


def has_endpoint(app: FastAPI, endpoint: Callable[..., Any]) -> bool:
    """Return whether a route of the application calls exactly this function."""
    return any(getattr(route, "endpoint", None) is endpoint for route in iter_routes(app.routes))


def find_path(app: FastAPI, endpoint: object) -> str | None:
    """Return the path at which an application serves an endpoint, or None if it does not serve it."""
    routes = iter_routes(app.routes)
    return next(
        (route_path(route) for route in routes if getattr(original_route(route), "endpoint", None) is endpoint), None
    )


def may_inspect_callers(*sites: FastAPI | APIRouter) -> bool:
    """Return whether a dependency or middleware that runs for every path may treat callers differently.

    Of Starlette's own middleware, only authentication, sessions and `BaseHTTPMiddleware` count.
    """
    return any(_has_dependencies(site) or _has_identity_middleware(site) for site in sites)


def _has_dependencies(site: FastAPI | APIRouter) -> bool:
    return bool(site.router.dependencies if isinstance(site, FastAPI) else site.dependencies)


def _has_identity_middleware(site: FastAPI | APIRouter) -> bool:
    middleware = site.user_middleware if isinstance(site, FastAPI) else ()
    modules = {getattr(entry.cls, "__module__", "") for entry in middleware if entry.cls is not RouterBypassMiddleware}
    return any(not name.startswith("starlette.middleware.") or name in _IDENTITY_MIDDLEWARE for name in modules)
