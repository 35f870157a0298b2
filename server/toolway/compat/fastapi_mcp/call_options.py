"""The options of fastapi-mcp for calls: the HTTP client, and the headers to forward.

A client of httpx works as one of httpx2. Nothing here imports httpx, because the caller has imported it already.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2

from toolway import Settings
from toolway.compat.fastapi_mcp.migration_warning import warn_once
from toolway.errors import ConfigurationError
from toolway.headers import stays_with_connection
from toolway.protocol.http.worker_processes import is_one_of_several
from toolway.settings import read_settings

__all__ = ["settings_with", "usable_client", "warn_of_hosts"]

_DECODED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
_ALWAYS = "authorization"


def usable_client(client: object) -> httpx2.AsyncClient | None:
    """Return the client of the API, or None to call it in this process.

    Raises:
        ConfigurationError: `client` is neither an `httpx2.AsyncClient` nor an `httpx.AsyncClient`.
    """
    if client is None:
        return None
    if _is_httpx_client(client):
        client = _adapt_client(client)
    if not isinstance(client, httpx2.AsyncClient):
        kind = type(client)
        raise ConfigurationError(
            "expected http_client to be an httpx2.AsyncClient or an httpx.AsyncClient,"
            f" got {kind.__module__}.{kind.__qualname__}; calls run in this process without http_client"
        )
    if client.base_url.host:
        return client
    warn_once(
        "http_client has no base_url, so it cannot reach an API (with fastapi-mcp, every call failed). Calls run in"
        " this process, without its timeouts. Remove http_client, or give the client a base_url."
    )
    return None


def settings_with(headers: Sequence[str]) -> Settings:
    """Return the settings of the environment, with these headers, listed tools, whole results and sessions.

    Several processes keep sessions only if the environment sets it: a client's next request may reach another process.

    Raises:
        ConfigurationError: a name is not valid for a header.
    """
    wanted = [name.lower() for name in headers]
    _warn_of_headers(wanted)
    forwarded = [name for name in wanted if name != _ALWAYS and not stays_with_connection(name)]
    known = read_settings()
    return Settings(
        schemas="full",
        forward_headers=list(dict.fromkeys([*known.forward_headers, *forwarded])),
        stateful=known.stateful if known.stateful is not None or is_one_of_several() else True,
        catalog="list",
        result_tokens=known.result_tokens if "result_tokens" in known.model_fields_set else 0,
    )


def _warn_of_headers(wanted: Sequence[str]) -> None:
    if _ALWAYS not in wanted:
        warn_once(
            "headers leaves out 'authorization', but endpoints always receive the caller's Authorization header: they"
            " need it to authorize the caller. To withhold the header, remove it before the request reaches /mcp."
        )
    if withheld := [name for name in wanted if stays_with_connection(name)]:
        warn_once(
            f"headers names {', '.join(withheld)}, which belong to the connection with the MCP client and are not"
            " forwarded; with fastapi-mcp, an agent could act with a browser's cookie. Use a header of your own."
        )


def warn_of_hosts(settings: Settings) -> None:
    """Warn that only requests to this machine are accepted, which shows only on a public server."""
    if "allowed_hosts" not in settings.model_fields_set:
        warn_once(
            "only this machine is served (Host localhost). fastapi-mcp accepted every Host header, and so every web"
            " page that rebinds its name. For a public server, set TOOLWAY_ALLOWED_HOSTS='[\"api.example.com\"]'."
        )


def _is_httpx_client(client: object) -> bool:
    """Return whether a client is an `httpx.AsyncClient`."""
    httpx = sys.modules.get("httpx")
    return httpx is not None and isinstance(client, httpx.AsyncClient)


def _adapt_client(client: Any) -> httpx2.AsyncClient:
    """Return a client of httpx2 that sends requests with an `httpx.AsyncClient`.

    Authentication, timeouts, event hooks, proxies and the transport are those of the httpx client.
    """
    headers = [
        (name, value)
        for name, value in client.headers.multi_items()
        if not (name == "user-agent" and value.startswith("python-httpx/"))
    ]
    return httpx2.AsyncClient(
        base_url=str(client.base_url),
        headers=headers,
        params=client.params.multi_items(),
        cookies=client.cookies.jar,
        transport=_HttpxTransport(client),
    )


class _HttpxTransport(httpx2.AsyncBaseTransport):
    """A transport of httpx2 that sends requests with a client of httpx."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._httpx = sys.modules["httpx"]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        ours = self._httpx.Request(request.method, str(request.url), headers=request.headers.raw, content=content)
        try:
            response = await self._client.send(ours, stream=True, follow_redirects=False)
        except self._httpx.RequestError as error:
            raise _translate_error(error) from error
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _DECODED]
        return httpx2.Response(response.status_code, headers=headers, stream=_Body(response, self._httpx.RequestError))


class _Body(httpx2.AsyncByteStream):
    """The decoded body of an httpx response."""

    def __init__(self, response: Any, error: type[Exception]) -> None:
        self._response = response
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except self._error as error:
            raise _translate_error(error) from error

    async def aclose(self) -> None:
        await self._response.aclose()


def _translate_error(error: Exception) -> httpx2.RequestError:
    """Return the httpx2 error with the same name."""
    kind: type[httpx2.RequestError] = getattr(httpx2, type(error).__name__, httpx2.RequestError)
    return kind(str(error))
