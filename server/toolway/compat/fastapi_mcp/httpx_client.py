"""Clients of httpx, used as clients of httpx2. Nothing here imports httpx: who passes a client of it has done so."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx2

__all__ = ["adapted", "is_httpx_client"]

_DECODED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


def is_httpx_client(client: object) -> bool:
    """Return whether a client is an `httpx.AsyncClient`, or derived from it."""
    httpx = sys.modules.get("httpx")
    return httpx is not None and isinstance(client, httpx.AsyncClient)


def adapted(client: Any) -> httpx2.AsyncClient:
    """Return a client of httpx2 that sends its requests with an `httpx.AsyncClient`.

    Authentication, timeouts, event hooks, proxies and the transport stay those of the client of httpx.
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
    """Sends requests of httpx2 with a client of httpx."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._httpx = sys.modules["httpx"]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        ours = self._httpx.Request(request.method, str(request.url), headers=request.headers.raw, content=content)
        try:
            response = await self._client.send(ours, stream=True, follow_redirects=False)
        except self._httpx.RequestError as error:
            raise _translated(error) from error
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _DECODED]
        return httpx2.Response(response.status_code, headers=headers, stream=_Body(response, self._httpx.RequestError))


class _Body(httpx2.AsyncByteStream):
    """The body of a response of httpx, decoded."""

    def __init__(self, response: Any, error: type[Exception]) -> None:
        self._response = response
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except self._error as error:
            raise _translated(error) from error

    async def aclose(self) -> None:
        await self._response.aclose()


def _translated(error: Exception) -> httpx2.RequestError:
    """Return the error of httpx2 that has the name of one of httpx."""
    kind: type[httpx2.RequestError] = getattr(httpx2, type(error).__name__, httpx2.RequestError)
    return kind(str(error))
