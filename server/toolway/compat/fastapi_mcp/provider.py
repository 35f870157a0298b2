"""The authorization server behind the proxies, and the document that stands here in place of its own."""

from __future__ import annotations

import logging
import time
from typing import Any

import httpx2
from pydantic import ValidationError

from toolway.compat.fastapi_mcp.auth import AuthConfig, OAuthMetadata
from toolway.protocol.http.rejection import HTTPRejection

__all__ = ["AUTHORIZE_PATH", "REGISTER_PATH", "Provider"]

logger = logging.getLogger("toolway.compat")

AUTHORIZE_PATH = "/oauth/authorize"
REGISTER_PATH = "/oauth/register"
_FRESH_SECONDS = 300.0
# Promises that hold only under the server's own name: answers carry its `iss`, a signature covers its addresses.
_ITS_OWN = frozenset({"authorization_response_iss_parameter_supported", "signed_metadata"})


class Provider:
    """An authorization server, known by its metadata; they are read again after five minutes."""

    def __init__(self, config: AuthConfig) -> None:
        self._config = config
        self._url = config.oauth_metadata_url or f"{(config.issuer or '').rstrip('/')}{config.metadata_path}"
        self._metadata: OAuthMetadata | None = None
        self._stale_at = 0.0

    async def metadata(self) -> OAuthMetadata:
        """Return what the server says of itself.

        Raises:
            HTTPRejection: it cannot be reached, or answers with something else (status 502).
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
            logger.exception("no metadata of the authorization server at %s", self._url)
            raise HTTPRejection(502, "The authorization server's metadata cannot be read; the log says why") from error

    async def document(self, base: str) -> dict[str, Any]:
        """The metadata to serve at `base`, which takes the place of the issuer (RFC 8414, section 3.3)."""
        known = (await self.metadata()).document()
        document = {key: value for key, value in known.items() if key not in _ITS_OWN}
        document |= {"issuer": base, "authorization_endpoint": base + AUTHORIZE_PATH}
        if self._config.setup_fake_dynamic_registration:
            document["registration_endpoint"] = base + REGISTER_PATH
            methods: list[str] = document.get("token_endpoint_auth_methods_supported", [])
            document["token_endpoint_auth_methods_supported"] = list(dict.fromkeys([*methods, "none"]))
        return document

    async def authorize_url(self) -> str:
        """Where users log in."""
        url = self._config.authorize_url or (await self.metadata()).authorization_endpoint
        if url is None:
            raise HTTPRejection(502, "The authorization server names no authorization_endpoint; set authorize_url")
        return url
