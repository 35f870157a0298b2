"""What people configure of authorization: fastapi-mcp's `AuthConfig` and `OAuthMetadata`, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import params
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    TypeAdapter,
    model_validator,
)

__all__ = ["AuthConfig", "OAuthMetadata"]

_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


def _text(value: object) -> object:
    return str(value) if isinstance(value, HttpUrl) else value


def _checked(value: str) -> str:
    _URL.validate_python(value)
    return value


# The text stays as it was written: issuers are compared sign by sign (RFC 8414, section 3.3), HttpUrl adds a slash.
_Url = Annotated[str, BeforeValidator(_text), AfterValidator(_checked)]
_Names = Annotated[list[str], Field(min_length=1)]


class OAuthMetadata(BaseModel):
    """What an authorization server says of itself (RFC 8414); further fields are kept as they are.

    Raises:
        ValidationError: a list is empty, or the authorization code grant has no ``authorization_endpoint``.
    """

    model_config = ConfigDict(extra="allow")

    issuer: _Url
    authorization_endpoint: _Url | None = None
    token_endpoint: _Url
    scopes_supported: _Names = ["openid", "profile", "email"]
    response_types_supported: _Names = ["code"]
    grant_types_supported: _Names = ["authorization_code", "client_credentials"]
    token_endpoint_auth_methods_supported: _Names = ["none"]
    code_challenge_methods_supported: _Names = ["S256"]
    registration_endpoint: _Url | None = None

    @model_validator(mode="after")
    def _has_what_its_grants_need(self) -> OAuthMetadata:
        if "authorization_code" in self.grant_types_supported and not self.authorization_endpoint:
            raise ValueError("expected an authorization_endpoint, because authorization_code is among the grant types")
        return self

    def document(self) -> dict[str, Any]:
        """The JSON to serve: what was set, and nothing that is empty."""
        return self.model_dump(mode="json", exclude_unset=True, exclude_none=True)


class AuthConfig(BaseModel):
    """Who may reach the MCP endpoint, and where clients get their tokens.

    Raises:
        ValidationError: neither `issuer`, `custom_oauth_metadata` nor `dependencies` is there, or `setup_proxies` lacks
            what it needs.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    version: Literal["2025-03-26"] = "2025-03-26"
    """fastapi-mcp knew this revision alone; every revision is served, whatever stands here."""

    dependencies: Sequence[params.Depends] | None = None
    """What FastAPI runs before a request reaches MCP: ``[Depends(verify)]``, which raises 401 or 403."""

    issuer: str | None = None
    """The authorization server's identifier, a URL."""

    oauth_metadata_url: _Url | None = None
    """Where its metadata are; `issuer` and `metadata_path` together otherwise. For `setup_proxies`."""

    authorize_url: _Url | None = None
    """Where users log in; what the server's metadata say otherwise. For `setup_proxies`."""

    audience: str | None = None
    """Asked for at the login when the client asks for none."""

    default_scope: str = "openid profile email"
    """Scopes, with blanks between them, that a login always asks for."""

    client_id: str | None = None
    """The client that is registered with the authorization server. For `setup_proxies`."""

    client_secret: str | None = Field(default=None, repr=False)
    """Taken, and never handed out: the registered client must be a public one."""

    custom_oauth_metadata: OAuthMetadata | None = None
    """Served as it is at `metadata_path`."""

    setup_proxies: bool = False
    """Serve metadata and a login redirect here, for an authorization server that MCP clients cannot use directly."""

    setup_fake_dynamic_registration: bool = True
    """With `setup_proxies`: answer registrations (RFC 7591) with `client_id`."""

    metadata_path: str = "/.well-known/oauth-authorization-server"

    @model_validator(mode="after")
    def _is_complete(self) -> AuthConfig:
        if self.issuer is None and self.custom_oauth_metadata is None and not self.dependencies:
            raise ValueError("expected at least one of 'issuer', 'custom_oauth_metadata' and 'dependencies'")
        if self.setup_proxies and not (self.issuer or self.oauth_metadata_url or self.custom_oauth_metadata):
            raise ValueError("'setup_proxies' needs an 'issuer' or an 'oauth_metadata_url'")
        if self.setup_proxies and self.client_id is None:
            raise ValueError("'setup_proxies' needs a 'client_id'")
        if self.setup_proxies and self.setup_fake_dynamic_registration and not self.client_secret:
            raise ValueError(
                "'setup_proxies' needs a 'client_secret', or setup_fake_dynamic_registration=False without one"
            )
        return self
