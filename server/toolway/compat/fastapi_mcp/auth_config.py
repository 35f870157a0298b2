"""The configuration of authorization: `AuthConfig` and `OAuthMetadata` of fastapi-mcp, field by field."""

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


# A string, because issuers are compared literally (RFC 8414, section 3.3), and HttpUrl adds a slash.
_Url = Annotated[str, BeforeValidator(_text), AfterValidator(_checked)]
_Names = Annotated[list[str], Field(min_length=1)]


class OAuthMetadata(BaseModel):
    """Metadata of an authorization server (RFC 8414). Unknown fields are kept.

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
    def _check_grant_types(self) -> OAuthMetadata:
        if "authorization_code" in self.grant_types_supported and not self.authorization_endpoint:
            raise ValueError("expected an authorization_endpoint, because authorization_code is among the grant types")
        return self

    def document(self) -> dict[str, Any]:
        """Return the JSON to serve: the fields that were set, without empty ones."""
        return self.model_dump(mode="json", exclude_unset=True, exclude_none=True)


class AuthConfig(BaseModel):
    """The guards of the MCP endpoint, and the authorization server that issues tokens.

    Raises:
        ValidationError: `issuer`, `custom_oauth_metadata` and `dependencies` are all missing, or a field that
            `setup_proxies` needs is.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    version: Literal["2025-03-26"] = "2025-03-26"
    """The only value that fastapi-mcp accepts. All revisions are served."""

    dependencies: Sequence[params.Depends] | None = None
    """Dependencies that guard the MCP endpoint: ``[Depends(verify)]``, which raises 401 or 403."""

    issuer: str | None = None
    """The authorization server's identifier, a URL."""

    oauth_metadata_url: _Url | None = None
    """The URL of its metadata. Defaults to `issuer` plus `metadata_path`. For `setup_proxies`."""

    authorize_url: _Url | None = None
    """The URL at which users log in. Defaults to the server's metadata. For `setup_proxies`."""

    audience: str | None = None
    """The audience of a login if the client requests none."""

    default_scope: str = "openid profile email"
    """Scopes that every login requests, separated by spaces."""

    client_id: str | None = None
    """The id of the client that is registered with the authorization server. For `setup_proxies`."""

    client_secret: str | None = Field(default=None, repr=False)
    """Accepted, but never sent to clients: the registered client must be a public one."""

    custom_oauth_metadata: OAuthMetadata | None = None
    """Metadata to serve unchanged at `metadata_path`."""

    setup_proxies: bool = False
    """Serve metadata and a login redirect here, for an authorization server that MCP clients cannot use directly."""

    setup_fake_dynamic_registration: bool = True
    """With `setup_proxies`: answer registrations (RFC 7591) with `client_id`."""

    metadata_path: str = "/.well-known/oauth-authorization-server"

    @model_validator(mode="after")
    def _check_completeness(self) -> AuthConfig:
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
