"""Answering at addresses beside the MCP endpoint, under the hosts that are served and no others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from toolway.protocol.http.rejection import HTTPRejection
from toolway.protocol.http.transport_security import host_allowed
from toolway.settings import Settings

__all__ = ["NO_STORE", "Answer", "address_of", "guarded_route", "is_served"]

Answer = Callable[[Request], Awaitable[Response]]
NO_STORE = {"Cache-Control": "no-store"}


def address_of(request: Request) -> str:
    """The application's own address as the caller used it, without a slash at its end."""
    return str(request.base_url).rstrip("/")


def is_served(request: Request, settings: Settings) -> bool:
    """Tell whether the host that the caller used is one of this server's, so that it may be repeated."""
    return host_allowed(request.headers.get("host", ""), settings)


def guarded_route(path: str, method: str, answer: Answer, settings: Settings) -> Route:
    """Make a route that repeats the caller's host only where that host is served."""

    async def guarded(request: Request) -> Response:
        if not is_served(request, settings):
            host = request.headers.get("host", "")
            return _refused(421, f"The host {host!r} is not served here; allow it with TOOLWAY_ALLOWED_HOSTS")
        try:
            return await answer(request)
        except HTTPRejection as refusal:
            return _refused(refusal.status, refusal.message)

    return Route(path, guarded, methods=[method], include_in_schema=False)


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": "invalid_request", "error_description": message}, status)
