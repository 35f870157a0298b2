"""fastapi-mcp's options for calls, as the engine's own: which client, and which headers go through."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2

from toolway._processes import is_one_of_several
from toolway.compat.fastapi_mcp.httpx_client import adapted, is_httpx_client
from toolway.compat.fastapi_mcp.notice import notify
from toolway.errors import ConfigurationError
from toolway.headers import stays_with_connection
from toolway.settings import Settings, read_settings

__all__ = ["settings_with", "tell_hosts", "usable_client"]

_ALWAYS = "authorization"


def usable_client(client: object) -> httpx2.AsyncClient | None:
    """Return the client that reaches the API, or None to call it in this process.

    Raises:
        ConfigurationError: it is neither an `httpx2.AsyncClient` nor an `httpx.AsyncClient`.
    """
    if client is None:
        return None
    if is_httpx_client(client):
        client = adapted(client)
    if not isinstance(client, httpx2.AsyncClient):
        kind = type(client)
        raise ConfigurationError(
            "expected http_client to be an httpx2.AsyncClient or an httpx.AsyncClient,"
            f" got {kind.__module__}.{kind.__qualname__}; calls run in this process without http_client"
        )
    if client.base_url.host:
        return client
    notify(
        "http_client has no base_url, so it reaches no API (with it, every call of fastapi-mcp failed); calls run in"
        " this process, where no time-out applies. Leave http_client out, or give the client a base_url."
    )
    return None


def settings_with(headers: Sequence[str]) -> Settings:
    """Return the settings of the environment, with the headers to forward, and with sessions, as fastapi-mcp had them.

    Several processes keep no sessions unless the environment says so: a client's next request may reach another one.

    Raises:
        ConfigurationError: a header's name is none.
    """
    wanted = [name.lower() for name in headers]
    _tell_headers(wanted)
    forwarded = [name for name in wanted if name != _ALWAYS and not stays_with_connection(name)]
    known = read_settings()
    return Settings(
        forward_headers=list(dict.fromkeys([*known.forward_headers, *forwarded])),
        stateful=known.stateful if known.stateful is not None or is_one_of_several() else True,
    )


def _tell_headers(wanted: Sequence[str]) -> None:
    if _ALWAYS not in wanted:
        notify(
            "headers leaves out 'authorization', but an endpoint gets its caller's Authorization in any case: without"
            " it the endpoint would judge a caller whom it cannot see. What must not arrive is taken away before /mcp."
        )
    if withheld := [name for name in wanted if stays_with_connection(name)]:
        notify(
            f"headers names {', '.join(withheld)}, which belong to the connection with the MCP client and are not"
            " handed on; with fastapi-mcp a browser's cookie could act through an agent. Use a header of your own."
        )


def tell_hosts(settings: Settings) -> None:
    """Warn of what would otherwise show only on a public server."""
    if "allowed_hosts" not in settings.model_fields_set:
        notify(
            "only this machine is served (Host localhost), where fastapi-mcp served every Host header and so every web"
            " page that rebinds its name; set TOOLWAY_ALLOWED_HOSTS='[\"api.example.com\"]' for a public server."
        )
