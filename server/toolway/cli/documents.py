"""An API that an OpenAPI document describes, called where it runs."""

from __future__ import annotations

import httpx2

from toolway._sources import Remote
from toolway._toolway import Toolway
from toolway.errors import ConfigurationError
from toolway.operations import load_document
from toolway.protocol import run_within
from toolway.settings import Settings, read_settings

__all__ = ["toolway_of_document"]


def toolway_of_document(text: str, base_url: str | None) -> Toolway:
    """Make a Toolway of a document's API; the setting `authorization` is the credential that it is called with.

    Raises:
        ConfigurationError: the base URL is missing, or is none.
        DocumentError: the document cannot be read.
    """
    settings = read_settings()
    document = load_document(text)
    client = httpx2.AsyncClient(
        base_url=_checked(text, base_url), headers=_credential(settings), timeout=settings.stream_seconds
    )
    toolway = Toolway(Remote(document, client), settings=settings)
    run_within(toolway.app.router, lambda _: client)  # which closes it at the end
    return toolway


def _checked(text: str, base_url: str | None) -> str:
    if base_url is None:
        raise ConfigurationError(
            f"{text!r} says what an API offers; say where it runs, too: --base-url https://api.example.com"
        )
    try:
        address = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise ConfigurationError(f"expected --base-url to be an address, got {base_url!r}: {error}") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise ConfigurationError(f"expected --base-url as https://api.example.com, got {base_url!r}")
    return base_url


def _credential(settings: Settings) -> dict[str, str]:
    return {"authorization": settings.authorization.get_secret_value()} if settings.authorization else {}
