"""Routes for authorization: protected-resource metadata and challenges, and those of a proxied authorization server.

They repeat the caller's host only if `Settings.allowed_hosts` contains it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio
from fastapi import FastAPI, HTTPException
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from toolway import Settings
from toolway.compat.fastapi_mcp.auth_config import AuthConfig, OAuthMetadata
from toolway.compat.fastapi_mcp.authorization_server import (
    AUTHORIZE_PATH,
    REGISTER_PATH,
    AuthorizationServer,
    RegistrationError,
    register_client,
)
from toolway.compat.fastapi_mcp.migration_warning import warn_once
from toolway.errors import ConfigurationError
from toolway.openapi import has_path
from toolway.protocol.http.jsonrpc import HTTPRejection
from toolway.protocol.http.request_checks import is_allowed_host

__all__ = ["add_auth_routes", "challenge_dependency"]

_Respond: TypeAlias = Callable[[Request], Awaitable[Response]]

_WELL_KNOWN = "/.well-known/oauth-protected-resource"
_NO_STORE = {"Cache-Control": "no-store"}
_MAX_REGISTRATION_BYTES = 64 * 1024


def add_auth_routes(config: AuthConfig, settings: Settings, app: FastAPI, mcp_path: str) -> None:
    """Add the routes that clients of an MCP endpoint need to get a token; `dependencies` alone need none.

    The routes come before all others, so that the application's own dependencies do not guard them.

    Raises:
        ConfigurationError: the application has the routes of another authorization server already.
    """
    if not _has_authorization_server(config):
        return
    routes = [_resource_route(config, settings, app, mcp_path)]
    if (config.setup_proxies or config.custom_oauth_metadata is not None) and _is_new(config, app):
        if config.setup_proxies and config.setup_fake_dynamic_registration and config.custom_oauth_metadata is None:
            warn_once(
                "POST /oauth/register returns the client_id alone; fastapi-mcp also returned the client_secret, to any"
                " client. Register a public client with PKCE at your authorization server, which needs no secret."
            )
        routes += (route for route in _server_routes(config, settings) if not has_path(app, route.path))
    app.router.routes[:0] = routes


def challenge_dependency(config: AuthConfig, settings: Settings) -> Callable[[Request], AsyncGenerator[None]]:
    """Return a dependency that adds the URL of the resource metadata to a 401 (RFC 9728, section 5.1).

    It comes before the dependencies that may raise one, so their exceptions pass through it.
    """

    async def challenge(request: Request) -> AsyncGenerator[None]:
        try:
            yield
        except StarletteHTTPException as error:
            if error.status_code != 401 or not (_has_authorization_server(config) and _is_served(request, settings)):
                raise
            others = {
                name: value for name, value in (error.headers or {}).items() if name.lower() != "www-authenticate"
            }
            path = request.url.path.removeprefix(request.scope.get("root_path", "").rstrip("/"))
            metadata = f"{_address_of(request)}{_WELL_KNOWN}{path}"
            header = {"WWW-Authenticate": f'Bearer resource_metadata="{metadata}"'}
            raise HTTPException(401, error.detail, {**others, **header}) from error

    return challenge


def _has_authorization_server(config: AuthConfig) -> bool:
    return bool(config.custom_oauth_metadata or config.setup_proxies or config.issuer)


def _is_new(config: AuthConfig, app: FastAPI) -> bool:
    """Return whether the application lacks the routes of this configuration; it can have those of one only."""
    known: AuthConfig | None = getattr(app.state, "toolway_authorization", None)
    if known is not None and known.model_dump(exclude={"dependencies"}) != config.model_dump(exclude={"dependencies"}):
        raise ConfigurationError(
            "an application can proxy only one authorization server; pass the same AuthConfig to each FastApiMCP"
        )
    app.state.toolway_authorization = config
    return known is None


def _address_of(request: Request) -> str:
    """Return the application's own address, as the caller used it, without a trailing slash."""
    return str(request.base_url).rstrip("/")


def _is_served(request: Request, settings: Settings) -> bool:
    return is_allowed_host(request.headers.get("host", ""), settings)


def _guarded_route(path: str, method: str, respond: _Respond, settings: Settings) -> Route:
    """Return a route that rejects hosts that are not served, because responses contain the host."""

    async def respond_if_served(request: Request) -> Response:
        if not _is_served(request, settings):
            host = request.headers.get("host", "")
            return _error(421, f"Host {host!r} is not allowed. Add it to TOOLWAY_ALLOWED_HOSTS.")
        try:
            return await respond(request)
        except HTTPRejection as rejection:
            return _error(rejection.status, rejection.message)

    return Route(path, respond_if_served, methods=[method], include_in_schema=False)


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": "invalid_request", "error_description": message}, status)


def _resource_route(config: AuthConfig, settings: Settings, app: FastAPI, mcp_path: str) -> Route:
    """Return the route of an MCP endpoint's metadata (RFC 9728, section 2), under every prefix of its router."""

    async def resource(request: Request) -> Response:
        path = request.path_params["prefix"] + mcp_path
        if not has_path(app, path):
            return JSONResponse({"detail": "Not Found"}, 404)
        address = _address_of(request)
        if config.custom_oauth_metadata is not None:
            server: str | None = config.custom_oauth_metadata.issuer
        else:
            server = address if config.setup_proxies else config.issuer
        document = {"resource": address + path, "authorization_servers": [server]}
        return JSONResponse({**document, "bearer_methods_supported": ["header"]})

    return _guarded_route(f"{_WELL_KNOWN}{{prefix:path}}{mcp_path}", "GET", resource, settings)


def _server_routes(config: AuthConfig, settings: Settings) -> Iterator[Route]:
    custom = config.custom_oauth_metadata
    if custom is not None:
        yield _guarded_route(config.metadata_path, "GET", _respond_with_metadata(custom), settings)
    elif config.setup_proxies:
        server = AuthorizationServer(config)
        yield _guarded_route(config.metadata_path, "GET", _respond_with_proxied_metadata(server), settings)
        yield _guarded_route(AUTHORIZE_PATH, "GET", _redirect_to_login(config, server), settings)
        if config.setup_fake_dynamic_registration and config.client_id is not None:
            yield _guarded_route(REGISTER_PATH, "POST", _respond_to_registration(config.client_id, settings), settings)


def _respond_with_metadata(metadata: OAuthMetadata) -> _Respond:
    async def respond(_: Request) -> Response:
        return JSONResponse(metadata.document())

    return respond


def _respond_with_proxied_metadata(server: AuthorizationServer) -> _Respond:
    async def respond(request: Request) -> Response:
        return JSONResponse(await server.document(_address_of(request)))

    return respond


def _redirect_to_login(config: AuthConfig, server: AuthorizationServer) -> _Respond:
    """Redirect the user's browser with all parameters of the client, including ``resource`` and ``state``."""
    defaults = {"response_type": "code", "client_id": config.client_id, "audience": config.audience}

    async def respond(request: Request) -> Response:
        pairs = [(name, value) for name, value in request.query_params.multi_items() if value and name != "scope"]
        names = {name for name, _ in pairs}
        pairs += [(name, value) for name, value in defaults.items() if value and name not in names]
        scopes = dict.fromkeys([*request.query_params.get("scope", "").split(), *config.default_scope.split()])
        if scopes:
            pairs.append(("scope", " ".join(scopes)))
        return RedirectResponse(_with_query(await server.authorize_url(), pairs), 302, headers=_NO_STORE)

    return respond


def _with_query(url: str, pairs: list[tuple[str, str]]) -> str:
    """Return a URL with more query parameters; its own ones win."""
    parts = urlsplit(url)
    own = parse_qsl(parts.query, keep_blank_values=True)
    fixed = {name for name, _ in own}
    return parts._replace(query=urlencode([*own, *(pair for pair in pairs if pair[0] not in fixed)])).geturl()


def _respond_to_registration(client_id: str, settings: Settings) -> _Respond:
    async def respond(request: Request) -> Response:
        try:
            registration = register_client(await _read_registration(request, settings), client_id)
        except RegistrationError as error:
            return JSONResponse({"error": error.code, "error_description": str(error)}, 400)
        return JSONResponse(registration, 201, headers=_NO_STORE)

    return respond


async def _read_registration(request: Request, settings: Settings) -> bytes:
    body = b""
    try:
        with anyio.fail_after(settings.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MAX_REGISTRATION_BYTES:
                    raise HTTPRejection(413, f"The registration exceeds {_MAX_REGISTRATION_BYTES:,} bytes")
    except (ClientDisconnect, TimeoutError) as error:
        raise HTTPRejection(408, f"The registration did not arrive within {settings.body_seconds:g} seconds") from error
    return body
