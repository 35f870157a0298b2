"""Dispatchers that send requests with an HTTP client, to an application in another process."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Collection, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import replace
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import parse_qsl, quote

import httpx2
from starlette.types import Receive, Scope, Send

from toolway.calls.context import CallContext
from toolway.calls.dispatcher import Dispatcher
from toolway.calls.reply import Reply, TakeReply
from toolway.calls.request.caller_headers import CarriedNames
from toolway.calls.request.request_builder import Request
from toolway.calls.response.redirects import Step
from toolway.errors import ConfigurationError
from toolway.openapi import Api, Operation, Parameter, compile_tolerant_pattern
from toolway.settings import Settings
from toolway.settings_validators import check_forward_headers

__all__ = ["ClientDispatcher", "RemoteDispatcher"]

_is_sending: ContextVar[bool] = ContextVar("toolway_calling", default=False)
_SAFE_METHODS = frozenset({"GET", "HEAD"})


class ClientDispatcher(Dispatcher):
    """Sends requests with a client of the operator's, below its base URL.

    The client stays the operator's: its headers, query parameters, cookies, credentials, timeouts and proxies hold, an
    argument never replaces them, and nothing here closes it. Cookies set by responses are discarded, because the next
    caller would send them.

    Raises:
        ConfigurationError: the client has no base URL.
    """

    propagates_trace = False

    def __init__(self, client: httpx2.AsyncClient, settings: Settings) -> None:
        base = client.base_url
        if not base.host:
            raise ConfigurationError(
                "the HTTP client has no base URL; create it with httpx2.AsyncClient(base_url='https://api.example.com')"
            )
        self._origin = f"{base.scheme}://{base.netloc.decode('ascii')}"
        super().__init__(_HttpxApp(client), settings.model_copy(update={"public_url": self._origin}))
        client.cookies.jar.set_policy(_ForgetfulPolicy())
        self._base = base
        self._client = client
        self._root = base.path.rstrip("/")

    def describe_direct_calls(self, operations: Collection[Operation], sites: Collection[object]) -> str:
        return ""

    def root_path(self, context: CallContext) -> str:
        return self._root

    def path(self, request: Request, operation: Operation, context: CallContext) -> str:
        """Return the path of the base URL followed by that of the endpoint."""
        return self._root + request.path

    def _raw_path(self, request: Request) -> bytes:
        return (quote(self._root) + (request.encoded_path or quote(request.path))).encode("ascii")

    def _scope(self, request: Request, operation: Operation, context: CallContext) -> Scope:
        scope = super()._scope(request, operation, context)
        scope["raw_path"] = self._raw_path(request)
        return scope

    def carried(self, operation: Operation, context: CallContext) -> CarriedNames:
        """Include what the client itself sends with every request."""
        own = CarriedNames(_header_names(self._client), _cookie_names(self._client))
        return super().carried(operation, context) | own

    async def run(self, request: Request, operation: Operation, context: CallContext, take: TakeReply) -> None:
        async def take_described(reply: Reply) -> None:
            await take(self._describe_fault(reply))

        if reason := self._rejection_reason(request, operation, context):
            await take(Reply(400, body=json.dumps({"detail": reason}).encode()))
        else:
            await super().run(request, operation, context, take_described)

    def _rejection_reason(self, request: Request, operation: Operation, context: CallContext) -> str:
        """Return why a request cannot be sent as it is; empty if it can."""
        path = self._raw_path(request)
        if self._base.copy_with(raw_path=path).raw_path != path:  # a client resolves "." and ".."
            return f"the path {request.path!r} cannot be sent as it is"
        conflict = next(iter(_find_conflicts(self._client, request)), "")
        return f"{conflict} is set by this server's HTTP client; an argument cannot replace it" if conflict else ""

    def _describe_fault(self, reply: Reply) -> Reply:
        """Return a response that describes why the connection failed; any other response unchanged."""
        fault = reply.exception
        if isinstance(fault, _FaultError):
            body = json.dumps({"detail": f"{self._origin} {fault}"}).encode()
            reply = Reply(fault.status if self.is_remote else 0, body=body)
        return replace(reply, is_remote=self.is_remote)


class RemoteDispatcher(ClientDispatcher):
    """Sends requests to a remote API. Nothing of the caller's is sent, except for the headers that are named.

    Raises:
        ConfigurationError: the client has no base URL, or a header belongs to the connection with the caller.
    """

    is_remote = True

    def __init__(self, client: httpx2.AsyncClient, settings: Settings, forward_headers: Iterable[str]) -> None:
        try:
            named = check_forward_headers(list(forward_headers))
        except ValueError as error:
            raise ConfigurationError(f"forward_headers of a Remote: {error}") from None
        super().__init__(client, settings.model_copy(update={"forward_headers": named}))
        self._documented: list[tuple[str, str, re.Pattern[str]]] = []
        self._offered: set[tuple[str, str]] = set()

    def adopt(self, api: Api) -> Api:
        """Remember the paths of the API, and return it without the parameters that the client fills by itself."""
        entries = (*api.operations, *api.skipped)
        self._documented = [(entry.method, entry.path, compile_tolerant_pattern(entry.path)) for entry in entries]
        operations = tuple(
            replace(entry, parameters=tuple(self._remaining_parameters(entry))) for entry in api.operations
        )
        return replace(api, operations=operations)

    def prepare(self, operations: Iterable[Operation]) -> None:
        self._offered = {(operation.method, operation.path) for operation in operations}

    def _remaining_parameters(self, operation: Operation) -> Iterator[Parameter]:
        filled = {
            "header": _header_names(self._client),
            "query": _query_names(self._client),
            "cookie": _cookie_names(self._client),
        }
        for parameter in operation.parameters:
            name = parameter.name.lower() if parameter.location == "header" else parameter.name
            if name not in filled.get(parameter.location, ()):
                yield parameter

    def may_follow(self, request: Request, reply: Reply, step: Step) -> bool:
        """Return whether a redirect within the API may be followed.

        It must keep the method (or lead to a GET, by 303), and must not reach an operation that is not offered.
        """
        if reply.status in {301, 302} and request.method not in _SAFE_METHODS:
            return False
        _, after, tool = step
        return bool(tool) or not any(
            method in {after.method, "*"} and pattern.match(after.path) and (method, path) not in self._offered
            for method, path, pattern in self._documented
        )

    async def run(self, request: Request, operation: Operation, context: CallContext, take: TakeReply) -> None:
        await super().run(request, operation, self._without_caller_data(context), take)

    def caller_headers(self, operation: Operation, context: CallContext) -> list[tuple[bytes, bytes]]:
        return super().caller_headers(operation, self._without_caller_data(context))

    def _rejection_reason(self, request: Request, operation: Operation, context: CallContext) -> str:
        if reason := super()._rejection_reason(request, operation, context):
            return reason
        missing = next(self._missing_headers(operation, context), None)
        if missing is None:
            return ""
        return (
            f"the API requires the header {missing!r}, and nothing sends it. "
            f"Set it on the HTTP client, or forward the caller's with Remote(..., forward_headers=[{missing!r}])."
        )

    def _missing_headers(self, operation: Operation, context: CallContext) -> Iterator[str]:
        """Yield required headers that nothing sends; credentials are left to the client's authentication."""
        if self._client.auth is not None:
            return
        carried = self.carried(operation, context)
        left_out = {"authorization", *operation.credentials.headers}
        for entry in operation.parameters:
            name = entry.name.lower()
            is_of_caller = entry.required and entry.source == "caller" and entry.location == "header"
            if is_of_caller and name not in left_out and not carried.has("header", name):
                yield name

    def _without_caller_data(self, context: CallContext) -> CallContext:
        """Return the context with only those of the caller's headers that are forwarded to the API."""
        headers = tuple(header for header in context.headers if header[0] in self.forwarded)
        return replace(context, headers=headers, query=(), outer={}, app=None)


class _FaultError(Exception):
    """The API sent no usable response; the text continues a sentence that begins with the API's origin."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class _HttpxApp:
    """An ASGI application that sends each request with an HTTP client."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self._request(scope, (await receive())["body"])
        try:
            await self._exchange(request, send)
        except httpx2.RequestError as error:
            raise _fault_of(error) from None

    async def _exchange(self, request: httpx2.Request, send: Send) -> None:
        response = await self._send(request)
        try:
            await send(
                {"type": "http.response.start", "status": response.status_code, "headers": _decoded_headers(response)}
            )
            async for chunk in response.aiter_bytes():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await response.aclose()

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        token = _is_sending.set(True)
        try:
            return await self._client.send(request, stream=True, follow_redirects=False)
        finally:
            _is_sending.reset(token)

    def _request(self, scope: Scope, body: bytes) -> httpx2.Request:
        """Build the request, with the client's own headers, query parameters and cookies added to it."""
        left_to_client = {b"host", b"accept", b"cookie"}
        headers = [header for header in scope["headers"] if header[0] not in left_to_client]
        url = self._client.base_url.copy_with(raw_path=scope["raw_path"])
        request = self._client.build_request(scope["method"], url, headers=headers, content=body or None)
        queries = (_base_query(self._client), request.url.query, scope["query_string"])
        request.url = url.copy_with(query=b"&".join(filter(None, queries)) or None)
        cookies = [value for name, value in scope["headers"] if name == b"cookie"]
        if cookies:
            own = request.headers.get("cookie", "").encode("latin-1")
            request.headers["cookie"] = b"; ".join(filter(None, (own, *cookies))).decode("latin-1")
        return request


def _decoded_headers(response: httpx2.Response) -> list[tuple[bytes, bytes]]:
    """Return the headers of a response whose body the client has decoded, without those of the encoded body."""
    encoded = "content-encoding" in response.headers
    gone = {b"content-encoding", b"content-length"} if encoded else frozenset[bytes]()
    return [(name.lower(), value) for name, value in response.headers.raw if name.lower() not in gone]


def _header_names(client: httpx2.AsyncClient) -> frozenset[str]:
    """Return the headers that the operator has set on a client, in lower case."""
    is_stock = client.headers.get("user-agent", "").startswith("python-httpx2/")
    return frozenset(client.headers.keys()) - ({"user-agent"} if is_stock else set())


def _base_query(client: httpx2.AsyncClient) -> bytes:
    """Return the query of a client's base URL, without the slash that the client appends."""
    return client.base_url.query.removesuffix(b"/")


def _query_names(client: httpx2.AsyncClient) -> frozenset[str]:
    return frozenset((*client.params.keys(), *httpx2.QueryParams(_base_query(client)).keys()))


def _cookie_names(client: httpx2.AsyncClient) -> frozenset[str]:
    header = client.headers.get("cookie", "")
    written = (pair.partition("=")[0].strip() for pair in header.split(";") if pair)
    return frozenset((*(cookie.name for cookie in client.cookies.jar), *written))


def _find_conflicts(client: httpx2.AsyncClient, request: Request) -> Iterator[str]:
    """Yield descriptions of what the client sends itself and an argument would replace."""
    if (query := request.query) and (names := _query_names(client)):
        given = {name for name, _ in parse_qsl(query.decode("ascii"), keep_blank_values=True)}
        yield from (f"the query parameter {name!r}" for name in sorted(names & given))
    for name, value in request.headers:
        if name == b"cookie":
            cookies = {pair.partition("=")[0] for pair in value.decode("latin-1").split("; ")}
            yield from (f"the cookie {cookie!r}" for cookie in sorted(cookies & _cookie_names(client)))
        elif name != b"content-type" and name.decode("latin-1") in _header_names(client):
            yield f"the header {name.decode('latin-1')!r}"


def _fault_of(error: httpx2.RequestError) -> _FaultError:
    """Return the reason for a missing response, without the request's URL or headers, which may contain credentials."""
    causes = list(_iter_causes(error))
    kinds: tuple[tuple[Any, int, str], ...] = (
        (httpx2.ConnectTimeout, 504, "could not be connected to within the client's timeout"),
        (httpx2.PoolTimeout, 504, "is busy: the client has no free connection; raise its limits or call less often"),
        (
            httpx2.TimeoutException,
            504,
            "did not respond within the client's timeout; the request may have been processed",
        ),
        (ssl.SSLError, 502, "has no valid TLS certificate, or does not use TLS"),
        (socket.gaierror, 502, "cannot be found: its host name does not resolve"),
        (ConnectionRefusedError, 502, "refused the connection"),
        (httpx2.ProxyError, 502, "cannot be reached through the client's proxy"),
        (httpx2.ConnectError, 502, "cannot be connected to"),
        (httpx2.UnsupportedProtocol, 502, "is not an http or https address"),
        (httpx2.DecodingError, 502, "sent a response whose compression is broken"),
    )
    for kind, status, text in kinds:
        if any(isinstance(cause, kind) for cause in causes):
            return _FaultError(status, text)
    return _FaultError(
        502, "closed the connection before its response was complete; the request may have been processed"
    )


def _iter_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and all its causes."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in cast("BaseExceptionGroup[BaseException]", error).exceptions:
                yield from _iter_causes(inner)
        error = error.__cause__ or error.__context__


class _ForgetfulPolicy(DefaultCookiePolicy):
    """Rejects the cookies that the response to a call sets."""

    def set_ok(self, cookie: Cookie, request: Any) -> bool:
        return not _is_sending.get() and super().set_ok(cookie, request)
