"""Dispatch of a request to the application in this process, through its ASGI stack or directly to the endpoint.

The ASGI scope is built by hand: an HTTP client in the process takes five times as long, and normalizes paths.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from opentelemetry import trace
from opentelemetry.propagate import inject
from pydantic_core import to_json
from starlette.types import ASGIApp, Scope

from toolway.calls.asgi_exchange import AsgiExchange, size_limit_reason
from toolway.calls.cancellation import ends_task
from toolway.calls.context import CONTEXT_KEY, CallContext
from toolway.calls.reply import JsonReply, Reply, TakeReply, decode_body
from toolway.calls.request.caller_headers import CarriedNames, read_carried_names
from toolway.calls.request.request_builder import Request
from toolway.host.middleware import HANDLER_KEY
from toolway.openapi import Operation
from toolway.settings import Settings

if TYPE_CHECKING:
    from toolway.calls.direct.dispatch import DirectDispatch
    from toolway.calls.response.redirects import Step

__all__ = ["Dispatcher"]

_EXPECTS_BODY = frozenset({"POST", "PUT", "PATCH"})  # send Content-Length: 0 without a body (RFC 9110, section 8.6)
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/-]*")  # needs no quoting, which costs more than the rest of a scope
_MAX_HOSTS = 64
_JSON_HEADERS = [(b"content-type", b"application/json")]


@dataclass(frozen=True, slots=True)
class _Address:
    """The address of an application."""

    scheme: str
    host: bytes
    """The Host header."""
    server: tuple[str, int]

    @classmethod
    def parse(cls, url: str) -> _Address:
        """Parse a URL without a path."""
        parts = urlsplit(url)
        host = parts.netloc.encode("idna" if not parts.netloc.isascii() else "ascii")
        default = 443 if parts.scheme == "https" else 80
        try:
            port = parts.port or default
        except ValueError:  # out of range, in the Host header of a server that allows all hosts
            port = default
        return cls(parts.scheme, host, (parts.hostname or "localhost", port))

    def scheme_for(self, context: CallContext) -> str:
        """Return the scheme of links; https if this address has it, which a proxy that ends TLS may not forward."""
        return self.scheme if self.scheme == "https" else context.scheme or self.scheme


class Dispatcher:
    """Sends requests to one application.

    Args:
        app: the application.
        settings: the settings of the server.
        state: the state that the application's lifespan has yielded.
    """

    propagates_trace = True
    """Whether requests carry the current span as the parent of those that the application starts."""

    is_remote = False
    """Whether the application is a remote API, known only by its OpenAPI document."""

    def __init__(self, app: ASGIApp, settings: Settings, state: Mapping[str, Any] | None = None) -> None:
        self._app = app
        self._settings = settings
        self._direct, self._direct_off_reason = _direct_dispatch(app, settings)
        self._state = state or {}
        self.forwarded = frozenset(name.encode("latin-1") for name in settings.forward_headers)
        """Headers of the MCP request that the operator forwards, besides credentials."""
        self._address = _Address.parse(settings.public_url) if settings.public_url else None
        self._address_of = lru_cache(maxsize=_MAX_HOSTS)(_Address.parse)

    def prepare(self, operations: Iterable[Operation]) -> None:
        """Look up the endpoints of operations in advance, to keep their first calls fast."""
        self._direct, self._direct_off_reason = _direct_dispatch(self._app, self._settings)
        if self._direct is not None:
            for operation in operations:
                _ = self._direct.endpoint(operation, self._app) or self._direct.after_middleware(operation)

    def describe_direct_calls(self, operations: Collection[Operation], sites: Collection[object]) -> str:
        """Return for how many operations direct calls are on, or why they are off; empty for calls over HTTP.

        Args:
            operations: the operations of this application's tools.
            sites: the applications that receive the MCP requests.
        """
        if self._direct is None:
            return f"off, {self._direct_off_reason}"
        return f"on for {self._direct.count(operations, sites)} of {len(operations)} tools"

    def address(self, request: Request, context: CallContext) -> str:
        """Return the URL of a request as the endpoint sees it, without the query."""
        address = self._own_address(context)
        host = address.host.decode("ascii")
        return f"{address.scheme_for(context)}://{host}{quote(self.root_path(context) + request.path)}"

    def _own_address(self, context: CallContext) -> _Address:
        """Return the configured address of the server, which defaults to that of the MCP request."""
        return self._address or self._address_of(f"{context.scheme or 'http'}://{context.host or 'localhost'}")

    def root_path(self, context: CallContext) -> str:
        """Return the prefix of the application's paths (`root_path` of ASGI)."""
        root: str = getattr(self._app, "root_path", "") or context.root_path
        return "" if root.endswith("/") else root  # Starlette does not remove such a prefix from paths

    def path(self, request: Request, operation: Operation, context: CallContext) -> str:
        """Return the path that the application would see in an HTTP request that came the same way.

        Some proxies remove the prefix, others keep it. A path that begins like the prefix needs both, because the
        application removes one of them. So does a path into a mount, which Starlette does not find without the prefix.
        """
        root = self.root_path(context)
        is_kept = context.root_in_path or request.path.startswith(root) or bool(operation.template.mounts)
        return root + request.path if is_kept else request.path

    def may_follow(self, request: Request, reply: Reply, step: Step) -> bool:
        """Return whether a redirect to `step` may be followed."""
        return True

    def decoded(self, reply: Reply) -> Reply:
        """Return a response without its content encoding; unchanged if it cannot be decoded."""
        encodings = reply.header(b"content-encoding")
        max_bytes = self._settings.max_result_bytes
        body = decode_body(reply.body, encodings, max_bytes) if encodings else None
        if body is None:
            return reply
        cut = size_limit_reason(max_bytes) if len(body) > max_bytes else reply.cut
        return replace(reply, body=body[:max_bytes], cut=cut, is_strict=False)

    async def run(self, request: Request, operation: Operation, context: CallContext, take: TakeReply) -> None:
        """Run one request, and pass its response to `take` as soon as that is complete.

        Returns once background tasks are done. If the response was truncated, this may never return, and `take` has to
        cancel the work.
        """
        if operation.template.hosts and operation.template.is_shadowed_by_host(self._own_address(context).server[0]):
            return await take(_misdirected(self._own_address(context).server[0]))
        app: ASGIApp = self._app
        if self._direct is not None and request.parts is not None:
            endpoint = self._direct.endpoint(operation, context.site)
            if endpoint is not None:
                try:
                    response = await endpoint.call(request.parts)
                except BaseException as error:
                    if ends_task(error):
                        raise
                    return await take(Reply(exception=error))
                if isinstance(response, JsonReply):
                    return await take(self._json_reply(response, is_strict=request.parts.strict is not None))
                app = response
        return await self._run_asgi(app, request, operation, context, take)

    async def _run_asgi(
        self, app: ASGIApp, request: Request, operation: Operation, context: CallContext, take: TakeReply
    ) -> None:
        settings = self._settings
        exchange = AsgiExchange(
            request, context, take, max_bytes=settings.max_result_bytes, stream_seconds=settings.stream_seconds
        )
        scope = self._scope(request, operation, context)
        if app is self._app and self._direct is not None and request.parts is not None and context.site is not None:
            endpoint = self._direct.after_middleware(operation)
            handler = endpoint.handler_for(request.parts, scope) if endpoint is not None else None
            if handler is not None:
                scope[HANDLER_KEY] = handler
        try:
            await app(scope, exchange.receive, exchange.send)
        except BaseException as error:  # the application's code may raise anything, SystemExit included
            if ends_task(error):
                raise
            await exchange.finish(error)
        else:
            await exchange.finish(None)
        finally:
            exchange.close()

    def _json_reply(self, response: JsonReply, *, is_strict: bool) -> Reply:
        status, body = response
        max_bytes = self._settings.max_result_bytes
        cut = size_limit_reason(max_bytes) if len(body) > max_bytes else ""
        return Reply(status, _JSON_HEADERS, body, cut=cut, is_strict=is_strict)

    def _scope(self, request: Request, operation: Operation, context: CallContext) -> Scope:
        address = self._own_address(context)
        path = self.path(request, operation, context)
        query = request.query
        if operation.credentials.query and (pairs := list(context.query_credentials(operation))):
            query = b"&".join(filter(None, (query, urlencode(pairs).encode("ascii"))))
        headers = [(b"host", address.host), (b"accept", b"*/*"), *self._headers(request, operation, context)]
        if request.body is not None or request.method in _EXPECTS_BODY:
            headers.append((b"content-length", str(len(request.body or b"")).encode()))
        if self.propagates_trace and trace.get_current_span().get_span_context().is_valid:
            _add_trace_headers(headers)
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": address.scheme_for(context),
            "path": path,
            "raw_path": (path if _PLAIN_PATH.fullmatch(path) else quote(path)).encode("ascii"),
            "query_string": query,
            "root_path": self.root_path(context),
            "headers": headers,
            "client": context.client,
            "server": address.server,
            **self._outer(context),
            CONTEXT_KEY: context,
        }

    def _outer(self, context: CallContext) -> dict[str, Any]:
        """Return what the server or an outer application has set on the MCP request: user, auth and state.

        The application's own middleware runs again for this request, so what it has set on the MCP request is left out.
        If another application received the MCP request, the names in its state may have other meanings, so this
        application's state takes precedence.
        """
        is_own = context.app is self._app
        before = context.outer_before_middleware if is_own else None
        outer = context.outer if before is None else before
        state: Mapping[str, Any] = outer.get("state") or {}
        return {**outer, "state": {**self._state, **state} if is_own else {**state, **self._state}}

    def caller_headers(self, operation: Operation, context: CallContext) -> list[tuple[bytes, bytes]]:
        """Return the headers of the MCP request that the endpoint receives."""
        return context.forwarded_headers(operation, self.forwarded)

    def carried(self, operation: Operation, context: CallContext) -> CarriedNames:
        """Return the names of the headers and cookies that the endpoint receives without an argument."""
        return read_carried_names(self.caller_headers(operation, context))

    def _headers(self, request: Request, operation: Operation, context: CallContext) -> list[tuple[bytes, bytes]]:
        forwarded = self.caller_headers(operation, context)
        if not forwarded:
            return request.headers
        replaced = {name for name, _ in forwarded} - {b"cookie"}
        headers = [*forwarded, *(header for header in request.headers if header[0] not in replaced)]
        cookies = [value for name, value in headers if name == b"cookie"]
        if len(cookies) < 2:
            return headers
        return [*(header for header in headers if header[0] != b"cookie"), (b"cookie", b"; ".join(cookies))]


def _direct_dispatch(app: ASGIApp, settings: Settings) -> tuple[DirectDispatch | None, str]:
    """Return what calls endpoints directly, or why they are not.

    The package `calls.direct` is optional: without it, or if an import from FastAPI fails there, all calls go through
    the ASGI stack.
    """
    if not settings.direct:
        return None, "TOOLWAY_DIRECT is false"
    try:
        from toolway.calls.direct.dispatch import DirectDispatch  # noqa: PLC0415 - may be missing
    except ImportError as error:
        return None, str(error)
    direct = DirectDispatch(app)
    return (None, direct.off_reason) if direct.off_reason else (direct, "")


def _misdirected(host: str) -> Reply:
    detail = f"requests to the host {host!r} are routed to another application, so this endpoint cannot be reached"
    return Reply(421, _JSON_HEADERS, to_json({"detail": detail}))


def _add_trace_headers(headers: list[tuple[bytes, bytes]]) -> None:
    """Add the current span as the parent (`traceparent`), unless the headers name one already."""
    carrier: dict[str, str] = {}
    inject(carrier)
    known = {name for name, _ in headers}
    added = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in carrier.items()]
    headers += [header for header in added if header[0] not in known]
