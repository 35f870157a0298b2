"""Routers that are no part of the application: fastapi-mcp put its router into the application by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, routing
from fastapi.routing import APIRoute

from toolway.compat.fastapi_mcp.notice import notify
from toolway.lifespan import run_within
from toolway.openapi import has_endpoint

__all__ = ["include_at_start"]

_COPIES = not hasattr(routing, "iter_route_contexts")
"""FastAPI before 0.137 copies a router's routes on inclusion, and so misses what is mounted on it later."""


def include_at_start(app: FastAPI, router: APIRouter, path: str) -> None:
    """Settle what becomes of a router's MCP endpoint when an application starts without it.

    It is not served there: the router may be part of another application, whose guards would be passed by. Only where
    inclusion copies, the one route is added, with its router's own prefix and dependencies; the router was probably
    included before.
    """
    route = next(route for route in router.routes if isinstance(route, APIRoute) and route.path == path)

    @asynccontextmanager
    async def included(_app: object, _state: object) -> AsyncGenerator[None]:
        if not has_endpoint(app, route.endpoint):
            _tell(app, path)
            if _COPIES:
                app.router.routes.insert(0, route)
        yield

    run_within(app.router, included)


def _tell(app: FastAPI, path: str) -> None:
    if _COPIES:
        notify(
            f"{path} stands on a router that is no part of the application, so it is served without the prefix and"
            " the dependencies that include_router() would add. Call include_router() after mount_http()."
        )
    else:
        notify(
            f"{path} is not served by the application {app.title!r}, because its router is no part of that. fastapi-mcp"
            " included it by itself, past the guards of an application that has it. Call include_router() with it."
        )
