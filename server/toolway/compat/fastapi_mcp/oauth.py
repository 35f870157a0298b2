"""The addresses of the authorization server that stand on the application: metadata, login and registration."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio
from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from toolway.compat.fastapi_mcp.addresses import NO_STORE, Answer, address_of, guarded_route
from toolway.compat.fastapi_mcp.auth import AuthConfig, OAuthMetadata
from toolway.compat.fastapi_mcp.notice import notify
from toolway.compat.fastapi_mcp.provider import AUTHORIZE_PATH, REGISTER_PATH, Provider
from toolway.compat.fastapi_mcp.registration import RegistrationError, registered
from toolway.compat.fastapi_mcp.resource import names_a_server, resource_route
from toolway.errors import ConfigurationError
from toolway.openapi import has_path
from toolway.protocol.http.rejection import HTTPRejection
from toolway.settings import Settings

__all__ = ["publish"]

_LARGEST = 64 * 1024


def publish(config: AuthConfig, settings: Settings, app: FastAPI, mcp_path: str) -> None:
    """Serve what clients of an MCP endpoint need on their way to a token; `dependencies` alone need nothing.

    The routes come before all others: the application's own dependencies must not guard that way.

    Raises:
        ConfigurationError: the application stands in for another authorization server already.
    """
    if not names_a_server(config):
        return
    routes = [resource_route(config, settings, app, mcp_path)]
    if _stands_in(config) and _is_new(config, app):
        _tell_secret(config)
        routes += (route for route in _routes(config, settings) if not has_path(app, route.path))
    app.router.routes[:0] = routes


def _stands_in(config: AuthConfig) -> bool:
    """Tell whether the application answers in the authorization server's place."""
    return config.setup_proxies or config.custom_oauth_metadata is not None


def _is_new(config: AuthConfig, app: FastAPI) -> bool:
    """Tell whether the application lacks this configuration's addresses, of which it can have one set."""
    known: AuthConfig | None = getattr(app.state, "toolway_authorization", None)
    if known is not None and _identity(known) != _identity(config):
        raise ConfigurationError(
            "an application stands in for one authorization server; give all its FastApiMCP the same AuthConfig"
        )
    app.state.toolway_authorization = config
    return known is None


def _identity(config: AuthConfig) -> object:
    return config.model_dump(exclude={"dependencies"})


def _tell_secret(config: AuthConfig) -> None:
    if config.setup_proxies and config.setup_fake_dynamic_registration and config.custom_oauth_metadata is None:
        notify(
            "POST /oauth/register hands out the client_id alone; fastapi-mcp handed the client_secret to anybody who"
            " asked. Register a public client with PKCE at your authorization server; it then asks for no secret."
        )


def _routes(config: AuthConfig, settings: Settings) -> Iterator[Route]:
    custom = config.custom_oauth_metadata
    if custom is not None:
        yield guarded_route(config.metadata_path, "GET", _fixed(custom), settings)
    elif config.setup_proxies:
        provider = Provider(config)
        yield guarded_route(config.metadata_path, "GET", _proxied(provider), settings)
        yield guarded_route(AUTHORIZE_PATH, "GET", _login(config, provider), settings)
        if config.setup_fake_dynamic_registration and config.client_id is not None:
            yield guarded_route(REGISTER_PATH, "POST", _registration(config.client_id, settings), settings)


def _fixed(metadata: OAuthMetadata) -> Answer:
    async def fixed(_: Request) -> Response:
        return JSONResponse(metadata.document())

    return fixed


def _proxied(provider: Provider) -> Answer:
    async def proxied(request: Request) -> Response:
        return JSONResponse(await provider.document(address_of(request)))

    return proxied


def _login(config: AuthConfig, provider: Provider) -> Answer:
    """Send the user's browser on, with everything that the client asked for: ``resource`` and ``state``, too."""
    defaults = {"response_type": "code", "client_id": config.client_id, "audience": config.audience}

    async def login(request: Request) -> Response:
        asked = [(name, value) for name, value in request.query_params.multi_items() if value and name != "scope"]
        names = {name for name, _ in asked}
        asked += [(name, value) for name, value in defaults.items() if value and name not in names]
        scopes = dict.fromkeys([*request.query_params.get("scope", "").split(), *config.default_scope.split()])
        if scopes:
            asked.append(("scope", " ".join(scopes)))
        return RedirectResponse(_with_query(await provider.authorize_url(), asked), 302, headers=NO_STORE)

    return login


def _with_query(url: str, pairs: list[tuple[str, str]]) -> str:
    """Add to what the address has already; its own values stand."""
    parts = urlsplit(url)
    own = parse_qsl(parts.query, keep_blank_values=True)
    fixed = {name for name, _ in own}
    return parts._replace(query=urlencode([*own, *(pair for pair in pairs if pair[0] not in fixed)])).geturl()


def _registration(client_id: str, settings: Settings) -> Answer:
    async def register(request: Request) -> Response:
        try:
            answer = registered(await _read(request, settings), client_id)
        except RegistrationError as error:
            return JSONResponse({"error": error.code, "error_description": str(error)}, 400)
        return JSONResponse(answer, 201, headers=NO_STORE)

    return register


async def _read(request: Request, settings: Settings) -> bytes:
    body = b""
    try:
        with anyio.fail_after(settings.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LARGEST:
                    raise HTTPRejection(413, f"The registration is larger than {_LARGEST:,} bytes")
    except (ClientDisconnect, TimeoutError) as error:
        raise HTTPRejection(408, f"The registration did not arrive within {settings.body_seconds:g} seconds") from error
    return body
