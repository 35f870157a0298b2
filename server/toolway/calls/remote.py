"""Sending requests with an HTTP client, to where the application runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import replace
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx2
from starlette.types import Receive, Scope, Send

from toolway._values import forwardable
from toolway.calls.bind import Request
from toolway.calls.context import CallContext
from toolway.calls.dispatch import Dispatcher, Reply, Take
from toolway.errors import ConfigurationError
from toolway.operations import Operation
from toolway.settings import Settings

__all__ = ["ClientDispatcher", "RemoteDispatcher"]

_calling: ContextVar[bool] = ContextVar("toolway_calling", default=False)


class ClientDispatcher(Dispatcher):
    """Sends requests with a client of the operator's, below its base URL.

    The client stays the operator's: its headers, credentials, time-outs and proxies hold, and nobody closes it here.
    Cookies that answers set are not kept, for the next caller would send them.

    Raises:
        ConfigurationError: the client has no base URL.
    """

    def __init__(self, client: httpx2.AsyncClient, settings: Settings) -> None:
        base = client.base_url
        if not base.host:
            raise ConfigurationError(
                "the client does not say where the application runs; "
                "give it a base URL: httpx2.AsyncClient(base_url='https://api.example.com')"
            )
        super().__init__(_Relay(client), settings.model_copy(update={"base_url": str(base)}))
        client.cookies.jar.set_policy(_ForgetfulPolicy())
        self._base = base
        self._root = base.path.rstrip("/")

    def root_path(self, context: CallContext) -> str:
        return self._root

    def path(self, request: Request, operation: Operation, context: CallContext) -> str:
        """The base URL's path always stands before the endpoint's."""
        return self._root + request.path

    async def run(self, request: Request, operation: Operation, context: CallContext, take: Take) -> None:
        path = quote(self.path(request, operation, context))
        if self._base.copy_with(raw_path=path.encode("ascii")).raw_path == path.encode("ascii"):
            await super().run(request, operation, context, take)
        else:  # a client resolves "." and "..", and the request would go somewhere else
            detail = f"the path {request.path!r} cannot be sent as it is"
            await take(Reply(400, body=json.dumps({"detail": detail}).encode()))


class RemoteDispatcher(ClientDispatcher):
    """Sends requests to somebody else's API: nothing of the caller's goes along but the headers that are named.

    Raises:
        ConfigurationError: the client has no base URL, or a header belongs to the connection with the caller.
    """

    def __init__(self, client: httpx2.AsyncClient, settings: Settings, forward_headers: Iterable[str]) -> None:
        try:
            named = forwardable(list(forward_headers))
        except ValueError as error:
            raise ConfigurationError(f"forward_headers of a Remote: {error}") from None
        super().__init__(client, settings.model_copy(update={"forward_headers": named}))

    async def run(self, request: Request, operation: Operation, context: CallContext, take: Take) -> None:
        headers = tuple(header for header in context.headers if header[0] in self.forwarded)
        await super().run(request, operation, replace(context, headers=headers, query=()), take)


class _Relay:
    """The application, as it looks from here: an ASGI application that asks it over HTTP."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self._request(scope, (await receive())["body"])
        answer = await self._ask(request)
        try:
            await send({"type": "http.response.start", "status": answer.status_code, "headers": _headers(answer)})
            async for chunk in answer.aiter_bytes():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await answer.aclose()

    async def _ask(self, request: httpx2.Request) -> httpx2.Response:
        token = _calling.set(True)
        try:
            return await self._client.send(request, stream=True, follow_redirects=False)
        finally:
            _calling.reset(token)

    def _request(self, scope: Scope, body: bytes) -> httpx2.Request:
        query: bytes = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        headers = [header for header in scope["headers"] if header[0] != b"host"]
        url = self._client.base_url.copy_with(raw_path=target)
        return self._client.build_request(scope["method"], url, headers=headers, content=body or None)


def _headers(answer: httpx2.Response) -> list[tuple[bytes, bytes]]:
    """The answer's headers; the client has decoded its body, so those of the encoded one say nothing."""
    encoded = "content-encoding" in answer.headers
    gone = {b"content-encoding", b"content-length"} if encoded else frozenset[bytes]()
    return [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in gone]


class _ForgetfulPolicy(DefaultCookiePolicy):
    """Keeps no cookie that the answer to a call sets."""

    def set_ok(self, cookie: Cookie, request: Any) -> bool:
        return not _calling.get() and super().set_ok(cookie, request)
