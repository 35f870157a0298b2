"""Registering clients without a register: everybody gets the one client that the authorization server knows."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError

__all__ = ["RegistrationError", "registered"]

_GRANTS = ("authorization_code", "refresh_token")
_SCRIPTS = frozenset({"about", "blob", "data", "file", "javascript", "vbscript"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class RegistrationError(Exception):
    """A registration is refused; `code` is the error's name in RFC 7591, section 3.2.2."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Wish(BaseModel):
    """What of a client's metadata matters here (RFC 7591, section 2)."""

    redirect_uris: list[str] = Field(min_length=1)
    client_name: str | None = None
    grant_types: list[str] | None = None


def registered(body: bytes, client_id: str) -> dict[str, Any]:
    """Answer a registration with the known client as a public one: its secret is nobody's but the operator's.

    Raises:
        RegistrationError: the request names no address to return to, or one that is no place for a code.
    """
    try:
        wish = _Wish.model_validate_json(body)
    except ValidationError as error:
        raise RegistrationError("invalid_client_metadata", "Expected an object with redirect_uris, a list") from error
    for uri in wish.redirect_uris:
        _check_redirect(uri)
    return {
        "client_id": client_id,
        "client_id_issued_at": int(time.time()),
        "client_name": wish.client_name or "MCP client",
        "redirect_uris": wish.redirect_uris,
        "grant_types": [grant for grant in _GRANTS if grant in (wish.grant_types or _GRANTS[:1])],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }


def _check_redirect(uri: str) -> None:
    """Hold an address to RFC 8252: https, this machine, or an application's own scheme."""
    try:
        parts = urlsplit(uri)
        plain = parts.scheme != "http" or parts.hostname in _LOOPBACK
    except ValueError:
        parts, plain = urlsplit(""), False
    if not parts.scheme or parts.scheme in _SCRIPTS or parts.fragment or not plain:
        raise RegistrationError(
            "invalid_redirect_uri",
            f"Expected redirect URIs with https, with http on this machine, or with an app's scheme, got {uri!r}",
        )
