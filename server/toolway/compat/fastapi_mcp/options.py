"""fastapi-mcp's options for calls, as the engine's own: which client, and which headers go through."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2

from toolway._headers import stays_with_connection
from toolway.compat.fastapi_mcp.notice import notify
from toolway.errors import ConfigurationError
from toolway.settings import Settings, read_settings

__all__ = ["settings_with", "tell_hosts", "usable_client"]

_ALWAYS = "authorization"


def usable_client(client: object) -> httpx2.AsyncClient | None:
    """Return the client that reaches the API, or None to call it in this process.

    Raises:
        ConfigurationError: it is no client of httpx2.
    """
    if client is None:
        return None
    if not isinstance(client, httpx2.AsyncClient):
        kind = type(client)
        raise ConfigurationError(
            f"expected http_client to be an httpx2.AsyncClient, got {kind.__module__}.{kind.__qualname__};"
            " httpx2 follows httpx, so `import httpx2 as httpx` where the client is made is all that changes"
        )
    if client.base_url.host:
        return client
    notify(
        "http_client has no base_url, so it reaches no API (with it, every call of fastapi-mcp failed); calls run in"
        " this process, where no time-out applies. Leave http_client out, or give the client a base_url."
    )
    return None


def settings_with(headers: Sequence[str]) -> Settings:
    """The settings of the environment, and the headers to hand on.

    Raises:
        ConfigurationError: a header's name is none.
    """
    wanted = [name.lower() for name in headers]
    _tell_headers(wanted)
    forwarded = [name for name in wanted if name != _ALWAYS and not stays_with_connection(name)]
    return Settings(forward_headers=list(dict.fromkeys([*read_settings().forward_headers, *forwarded])))


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
