"""Loading of an OpenAPI document for APP, whose API is called over HTTP."""

from __future__ import annotations

from typing import Any

import httpx2

from toolway.app import Toolway
from toolway.cli.credentials import Credentials, with_credentials
from toolway.errors import ConfigurationError
from toolway.host.lifespan import run_within
from toolway.openapi import load_document, redact_url
from toolway.settings import Settings, read_settings
from toolway.sources import Remote

__all__ = ["toolway_of_document"]


def toolway_of_document(text: str, base_url: str | None, credentials: Credentials) -> Toolway:
    """Return a Toolway for the API of an OpenAPI document, called with the credentials of settings and command.

    Raises:
        ConfigurationError: the base URL is missing or not valid.
        DocumentError: the OpenAPI document cannot be read.
    """
    settings = with_credentials(read_settings(), credentials)
    document = load_document(text)
    client = httpx2.AsyncClient(base_url=_checked(text, base_url), **_sent(settings), timeout=settings.stream_seconds)
    toolway = Toolway(Remote(document, client=client), settings=settings)
    run_within(toolway.app.router, lambda _app, _state: client)  # closes the client at shutdown
    return toolway


def _checked(text: str, base_url: str | None) -> str:
    if base_url is None:
        raise ConfigurationError(
            f"{redact_url(text)!r} needs the URL of its API: add --base-url, such as https://api.example.com"
        )
    try:
        address = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise ConfigurationError(f"expected --base-url to be a URL, got {_shown(base_url)}: {error}") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise ConfigurationError(
            f"expected --base-url to be a URL such as https://api.example.com, got {_shown(base_url)}"
        )
    return base_url


def _shown(base_url: str) -> str:
    """Quote a URL without its user, password and query."""
    return repr(base_url.rpartition("@")[2].partition("?")[0])


def _sent(settings: Settings) -> dict[str, Any]:
    """Return the client options for the headers and query parameters of every request."""
    headers = dict(settings.local_headers)
    if settings.authorization is not None:
        headers["authorization"] = settings.authorization
    return {
        "headers": {name: value.get_secret_value() for name, value in headers.items()},
        "params": {name: value.get_secret_value() for name, value in settings.local_query.items()},
    }
