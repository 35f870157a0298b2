"""The authorization server behind the application: its metadata, and the registration of clients with it."""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2
from pydantic import BaseModel, Field, ValidationError

from toolway.compat.fastapi_mcp.auth_config import AuthConfig, OAuthMetadata
from toolway.protocol.http.jsonrpc import HTTPRejection

__all__ = ["AUTHORIZE_PATH", "REGISTER_PATH", "AuthorizationServer", "RegistrationError", "register_client"]

logger = logging.getLogger("toolway.compat")

AUTHORIZE_PATH = "/oauth/authorize"
REGISTER_PATH = "/oauth/register"
_FRESH_SECONDS = 300.0
# Metadata that are valid only under the server's own issuer: its `iss` in responses, a signature over its URLs.
_ISSUER_ONLY = frozenset({"authorization_response_iss_parameter_supported", "signed_metadata"})
_GRANTS = ("authorization_code", "refresh_token")
_SCRIPTS = frozenset({"about", "blob", "data", "file", "javascript", "vbscript"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class AuthorizationServer:
    """An authorization server. Its metadata are cached for five minutes."""

    def __init__(self, config: AuthConfig) -> None:
        self._config = config
        self._url = config.oauth_metadata_url or f"{(config.issuer or '').rstrip('/')}{config.metadata_path}"
        self._metadata: OAuthMetadata | None = None
        self._stale_at = 0.0

    async def metadata(self) -> OAuthMetadata:
        """Return the server's metadata.

        Raises:
            HTTPRejection: the metadata cannot be read (status 502).
        """
        if self._metadata is None or time.monotonic() >= self._stale_at:
            self._metadata = await self._read()
            self._stale_at = time.monotonic() + _FRESH_SECONDS
        return self._metadata

    async def _read(self) -> OAuthMetadata:
        try:
            async with httpx2.AsyncClient(timeout=10) as client:
                answer = (await client.get(self._url)).raise_for_status()
            return OAuthMetadata.model_validate_json(answer.content)
        except (httpx2.HTTPError, ValidationError) as error:
            logger.exception("cannot read the metadata of the authorization server at %s", self._url)
            raise HTTPRejection(
                502, "Cannot read the metadata of the authorization server; details are in the server log"
            ) from error

    async def document(self, base: str) -> dict[str, Any]:
        """Return the metadata to serve with `base` as the issuer (RFC 8414, section 3.3)."""
        known = (await self.metadata()).document()
        document = {key: value for key, value in known.items() if key not in _ISSUER_ONLY}
        document |= {"issuer": base, "authorization_endpoint": base + AUTHORIZE_PATH}
        if self._config.setup_fake_dynamic_registration:
            document["registration_endpoint"] = base + REGISTER_PATH
            methods: list[str] = document.get("token_endpoint_auth_methods_supported", [])
            document["token_endpoint_auth_methods_supported"] = list(dict.fromkeys([*methods, "none"]))
        return document

    async def authorize_url(self) -> str:
        """Return the URL at which users log in.

        Raises:
            HTTPRejection: the metadata cannot be read, or have no such URL (status 502).
        """
        url = self._config.authorize_url or (await self.metadata()).authorization_endpoint
        if url is None:
            raise HTTPRejection(
                502, "The metadata of the authorization server have no authorization_endpoint; set authorize_url"
            )
        return url


class RegistrationError(Exception):
    """A rejected registration; `code` is the error code of RFC 7591, section 3.2.2."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _ClientMetadata(BaseModel):
    """The metadata of a client that are used here (RFC 7591, section 2)."""

    redirect_uris: list[str] = Field(min_length=1)
    client_name: str | None = None
    grant_types: list[str] | None = None


def register_client(body: bytes, client_id: str) -> dict[str, Any]:
    """Return the response to a registration: the known client, as a public one, without its secret.

    Raises:
        RegistrationError: the request has no redirect URIs, or an unsafe one.
    """
    try:
        metadata = _ClientMetadata.model_validate_json(body)
    except ValidationError as error:
        raise RegistrationError("invalid_client_metadata", "Expected an object with a list of redirect_uris") from error
    for uri in metadata.redirect_uris:
        _check_redirect(uri)
    return {
        "client_id": client_id,
        "client_id_issued_at": int(time.time()),
        "client_name": metadata.client_name or "MCP client",
        "redirect_uris": metadata.redirect_uris,
        "grant_types": [grant for grant in _GRANTS if grant in (metadata.grant_types or _GRANTS[:1])],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }


def _check_redirect(uri: str) -> None:
    """Check a redirect URI by RFC 8252: https, a loopback address, or an application's own scheme."""
    try:
        parts = urlsplit(uri)
        plain = parts.scheme != "http" or parts.hostname in _LOOPBACK
    except ValueError:
        parts, plain = urlsplit(""), False
    if not parts.scheme or parts.scheme in _SCRIPTS or parts.fragment or not plain:
        raise RegistrationError(
            "invalid_redirect_uri",
            f"Expected a redirect URI with https, http on a loopback address, or an app's scheme, got {uri!r}",
        )
