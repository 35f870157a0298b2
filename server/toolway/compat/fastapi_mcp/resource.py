"""The protected resource: what it says of itself, and where it sends a client that may not come in (RFC 9728)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from fastapi import FastAPI, HTTPException
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from toolway.compat.fastapi_mcp.addresses import address_of, guarded_route, is_served
from toolway.compat.fastapi_mcp.auth import AuthConfig
from toolway.openapi import has_path
from toolway.settings import Settings

__all__ = ["challenge", "names_a_server", "resource_route"]

_WELL_KNOWN = "/.well-known/oauth-protected-resource"


def names_a_server(config: AuthConfig) -> bool:
    """Tell whether there is an authorization server to point at."""
    return bool(config.custom_oauth_metadata or config.setup_proxies or config.issuer)


def challenge(config: AuthConfig, settings: Settings) -> Callable[[Request], AsyncGenerator[None]]:
    """Make the dependency that tells a refused client where the metadata are (section 5.1).

    It stands before the dependencies that may refuse, so what they raise comes by here.
    """

    async def challenged(request: Request) -> AsyncGenerator[None]:
        try:
            yield
        except StarletteHTTPException as error:
            if error.status_code != 401 or not (names_a_server(config) and is_served(request, settings)):
                raise
            others = {
                name: value for name, value in (error.headers or {}).items() if name.lower() != "www-authenticate"
            }
            metadata = f"{address_of(request)}{_WELL_KNOWN}{_path(request)}"
            header = {"WWW-Authenticate": f'Bearer resource_metadata="{metadata}"'}
            raise HTTPException(401, error.detail, {**others, **header}) from error

    return challenged


def resource_route(config: AuthConfig, settings: Settings, app: FastAPI, mcp_path: str) -> Route:
    """Make the route of the metadata (section 2) of an MCP endpoint, under whatever prefix its router is included."""

    async def resource(request: Request) -> Response:
        path = request.path_params["prefix"] + mcp_path
        if not has_path(app, path):
            return JSONResponse({"detail": "Not Found"}, 404)
        address = address_of(request)
        document = {"resource": address + path, "authorization_servers": [_server(config, address)]}
        return JSONResponse({**document, "bearer_methods_supported": ["header"]})

    return guarded_route(f"{_WELL_KNOWN}{{prefix:path}}{mcp_path}", "GET", resource, settings)


def _server(config: AuthConfig, address: str) -> str | None:
    if config.custom_oauth_metadata is not None:
        return config.custom_oauth_metadata.issuer
    return address if config.setup_proxies else config.issuer


def _path(request: Request) -> str:
    return request.url.path.removeprefix(request.scope.get("root_path", "").rstrip("/"))
