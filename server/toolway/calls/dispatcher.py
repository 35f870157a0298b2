"""Running a request through the application, in this process and through its whole ASGI stack, or past it where nobody
could tell the difference (`direct`).

The scope is made by hand: an HTTP client in the process costs five times as much and normalises paths on the way.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

import anyio.lowlevel
from opentelemetry import trace
from opentelemetry.propagate import inject
from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Scope

from toolway._shortcut import HANDLER_KEY
from toolway.calls.cancellation import ends_task
from toolway.calls.context import CallContext
from toolway.calls.direct.direct_endpoint import JsonReply
from toolway.calls.direct.dispatch import DirectDispatch
from toolway.calls.request.caller_headers import CarriedNames, read_carried_names
from toolway.calls.request.request_builder import Request
from toolway.calls.response.content_encoding import decode_body
from toolway.calls.scope import CONTEXT_KEY
from toolway.openapi import Operation
from toolway.settings import Settings

if TYPE_CHECKING:
    from toolway.calls.response.redirects import Step

__all__ = ["Dispatcher", "Reply", "Take"]

logger = logging.getLogger("toolway.calls")

_EXPECTS_BODY = frozenset({"POST", "PUT", "PATCH"})  # without a body, a length of 0 says so (RFC 9110, section 8.6)
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/-]*")  # quoting costs more than the rest of a scope
_EXCEPTION_SECONDS = 0.1
_MOST_HOSTS = 64
_TYPE = "application/json"
_JSON = [(b"content-type", _TYPE.encode())]


@dataclass(slots=True)
class Reply:
    """The application's answer, as far as it came."""

    status: int = 0
    """0 when the application ended without an answer."""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    body: bytes = b""
    cut: str = ""
    """Why the answer was closed before its end; empty for a whole one."""
    exception: BaseException | None = None
    is_broken: bool = False
    """Whether the application failed when a part of its response had already been sent."""
    is_strict: bool = False
    """Whether the body is known to be strict JSON (see `strictness`)."""
    is_remote: bool = False
    """Whether it comes from a remote API, whose server errors are shown as its HTTP clients see them."""

    def header(self, name: bytes) -> str:
        for key, value in self.headers:
            if key == name or key.lower() == name:
                return value.decode("latin-1")
        return ""


@dataclass(frozen=True, slots=True)
class _Address:
    """Where an application is reached."""

    scheme: str
    host: bytes
    """As in the Host header."""
    server: tuple[str, int]

    @classmethod
    def parse(cls, url: str) -> _Address:
        """Read a URL without a path."""
        parts = urlsplit(url)
        host = parts.netloc.encode("idna" if not parts.netloc.isascii() else "ascii")
        usual = 443 if parts.scheme == "https" else 80
        try:
            port = parts.port or usual
        except ValueError:  # where any host is allowed, a caller may send one with a port that does not exist
            port = usual
        return cls(parts.scheme, host, (parts.hostname or "localhost", port))

    def scheme_for(self, context: CallContext) -> str:
        """Return what links begin with: https where the address does, as a proxy that ends TLS may not forward that."""
        return self.scheme if self.scheme == "https" else context.scheme or self.scheme


Take: TypeAlias = Callable[[Reply], Awaitable[None]]


class Dispatcher:
    """Sends requests to one application."""

    propagates_trace = True
    """Whether the current span is the parent of those that the application starts; an HTTP client does that itself."""

    is_remote = False
    """Whether that is a remote API, of which no more is known than its OpenAPI document."""

    def __init__(self, app: ASGIApp, settings: Settings, state: Mapping[str, Any] | None = None) -> None:
        self._app = app
        self._settings = settings
        self._direct = DirectDispatch(app) if settings.direct else None
        self._state = state or {}
        self.forwarded = frozenset(name.encode("latin-1") for name in settings.forward_headers)
        """Headers of the caller that the operator lets through, besides credentials."""
        self._address = _Address.parse(settings.public_url) if settings.public_url else None
        self._address_of = lru_cache(maxsize=_MOST_HOSTS)(_Address.parse)

    def prepare(self, operations: Iterable[Operation]) -> None:
        """Find out now how operations are called, so that their first calls need not."""
        if self._direct is not None:
            self._direct = DirectDispatch(self._app)  # the application may be another than it was
            for operation in operations:
                _ = self._direct.endpoint(operation, self._app) or self._direct.behind(operation)

    def describe_direct_calls(self, operations: Collection[Operation], sites: Collection[object]) -> str:
        """Return for how many operations direct calls are on, or why they are off; empty for calls over HTTP.

        Args:
            operations: the operations of this application's tools.
            sites: the applications that receive the MCP requests.
        """
        if self._direct is None:
            return "off, TOOLWAY_DIRECT is false"
        if self._direct.off_reason:
            return f"off, {self._direct.off_reason}"
        return f"on for {self._direct.count(operations, sites)} of {len(operations)} tools"

    def address(self, request: Request, context: CallContext) -> str:
        """The URL at which the endpoint sees itself called, without the query."""
        address = self._own_address(context)
        host = address.host.decode("ascii")
        return f"{address.scheme_for(context)}://{host}{quote(self.root_path(context) + request.path)}"

    def _own_address(self, context: CallContext) -> _Address:
        """Return the address at which the endpoints see themselves called: the base URL, or that of the MCP request."""
        return self._address or self._address_of(f"{context.scheme or 'http'}://{context.host or 'localhost'}")

    def root_path(self, context: CallContext) -> str:
        """What stands before the application's own paths."""
        root: str = getattr(self._app, "root_path", "") or context.root_path
        return "" if root.endswith("/") else root  # Starlette takes such a root off no path

    def path(self, request: Request, operation: Operation, context: CallContext) -> str:
        """The path as the application would see it of a plain request that came the same way.

        A proxy takes its prefix away or leaves it. A path that begins like the prefix keeps both, as the application
        takes one of them off; so does one into a mount, which Starlette does not find otherwise.
        """
        root = self.root_path(context)
        is_kept = context.root_in_path or request.path.startswith(root) or bool(operation.template.mounts)
        return root + request.path if is_kept else request.path

    def may_follow(self, request: Request, reply: Reply, step: Step) -> bool:
        """Return whether a redirect that leads to `step` may be followed."""
        return True

    def decoded(self, reply: Reply) -> Reply:
        """Return an answer without its compression, as every HTTP client does; one that cannot be read stays."""
        encodings = reply.header(b"content-encoding")
        most = self._settings.max_result_bytes
        body = decode_body(reply.body, encodings, most) if encodings else None
        if body is None:
            return reply
        cut = _too_large(most) if len(body) > most else reply.cut
        return replace(reply, body=body[:most], cut=cut, is_strict=False)

    async def run(self, request: Request, operation: Operation, context: CallContext, take: Take) -> None:
        """Run one request to its end; hand its answer to `take` as soon as that is complete.

        Work that an application does after its answer (background tasks) goes on until it is done; after an answer that
        was closed before its end, this does not return: whoever took it has to stop the work.
        """
        if operation.template.hosts and operation.template.is_shadowed_by_host(self._own_address(context).server[0]):
            return await take(_misdirected(self._own_address(context).server[0]))
        app: ASGIApp = self._app
        if self._direct is not None and request.parts is not None:
            endpoint = self._direct.endpoint(operation, context.site)
            if endpoint is not None:
                try:
                    answered = await endpoint.answer(request.parts)
                except BaseException as error:
                    if ends_task(error):
                        raise
                    return await take(Reply(exception=error))
                if isinstance(answered, JsonReply):
                    is_strict = request.parts.strict is not None
                    return await take(self._reply(*answered, is_strict=is_strict))
                app = answered
        return await self._run_through(app, request, operation, context, take)

    async def _run_through(
        self, app: ASGIApp, request: Request, operation: Operation, context: CallContext, take: Take
    ) -> None:
        """Run a request through an ASGI application."""
        exchange = AsgiExchange(request, self._settings, context, take)
        scope = self._scope(request, operation, context)
        if app is self._app:
            self._shorten(request, operation, context, scope)
        try:
            await app(scope, exchange.receive, exchange.send)
        except BaseException as error:  # the application's code may raise anything, SystemExit included
            if ends_task(error):
                raise
            await exchange.ended(error)
        else:
            await exchange.ended(None)
        finally:
            exchange.close()

    def _shorten(self, request: Request, operation: Operation, context: CallContext, scope: Scope) -> None:
        """Have a request taken on behind the application's middleware, where nobody could tell the difference."""
        if self._direct is None or request.parts is None or context.site is None:
            return
        endpoint = self._direct.behind(operation)
        behind = endpoint.taking_on(request.parts, scope) if endpoint is not None else None
        if behind is not None:
            scope[HANDLER_KEY] = behind

    def _reply(self, status: int, body: bytes, *, is_strict: bool) -> Reply:
        most = self._settings.max_result_bytes
        return Reply(status, _JSON, body, cut=_too_large(most) if len(body) > most else "", is_strict=is_strict)

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
            "raw_path": _raw(path),
            "query_string": query,
            "root_path": self.root_path(context),
            "headers": headers,
            "client": context.client,
            "server": address.server,
            **self._outer(context),
            CONTEXT_KEY: context,
        }

    def _outer(self, context: CallContext) -> dict[str, Any]:
        """Return what is set on a request from outside of the application: user, auth, and a state of its own.

        The application's middleware runs again for this request, so what it has set on the MCP request is left out. In
        the state of a request that another application has received, the same names may mean something else.
        """
        is_own = context.app is self._app
        before = context.outer_before_middleware if is_own else None
        outer = context.outer if before is None else before
        state: Mapping[str, Any] = outer.get("state") or {}
        return {**outer, "state": {**self._state, **state} if is_own else {**state, **self._state}}

    def caller_headers(self, operation: Operation, context: CallContext) -> list[tuple[bytes, bytes]]:
        """Return the headers that the endpoint gets of the MCP request."""
        return context.passed(operation, self.forwarded)

    def carried(self, operation: Operation, context: CallContext) -> CarriedNames:
        """Return the names of the headers and cookies that the endpoint gets without an argument."""
        return read_carried_names(self.caller_headers(operation, context))

    def _headers(self, request: Request, operation: Operation, context: CallContext) -> list[tuple[bytes, bytes]]:
        passed = self.caller_headers(operation, context)
        if not passed:
            return request.headers
        named = {name for name, _ in passed} - {b"cookie"}
        return _with_one_cookie_header([*passed, *(header for header in request.headers if header[0] not in named)])


def _with_one_cookie_header(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    cookies = [value for name, value in headers if name == b"cookie"]
    if len(cookies) < 2:
        return headers
    return [*(header for header in headers if header[0] != b"cookie"), (b"cookie", b"; ".join(cookies))]


class AsgiExchange:
    """The two ends of one request: what the application receives, and what it sends."""

    __slots__ = (
        "_body", "_chunks", "_is_closed", "_is_streamed", "_is_taken", "_is_whole", "_late", "_method", "_over",
        "_parts", "_reply", "_report", "_seconds", "_settings", "_size", "_take", "_timer",
    )  # fmt: skip

    def __init__(self, request: Request, settings: Settings, context: CallContext, take: Take) -> None:
        self._body: bytes | None = request.body or b""
        self._parts = request.parts
        self._method = request.method
        self._settings = settings
        self._report = context.report
        self._seconds = context.stream_seconds or settings.stream_seconds
        self._take = take
        self._reply = Reply(0, [])
        self._chunks: list[bytes] = []
        self._size = 0
        self._is_whole = False
        self._is_streamed = False
        self._is_taken = False
        self._is_closed = False
        self._over: asyncio.Event | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        # A disconnect reported too early would cut a StreamingResponse, so this waits until its answer has arrived.
        if not self._is_closed:
            self._over = self._over or asyncio.Event()
            await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            more = message.get("more_body", False)
            if not self._is_whole:
                chunk = message.get("body", b"")
                await self._add(chunk, more=more and not self._is_filled_by(chunk))
            if more:  # a stream that never waits would let nobody else run, and could not be stopped
                await anyio.lowlevel.checkpoint()
        elif message["type"] == "http.response.start":
            self._reply.status = message["status"]
            self._reply.headers = list(message.get("headers", ()))
            if not self._reply.header(b"content-length"):
                self._limit_time()

    def _is_filled_by(self, chunk: bytes) -> bool:
        """Whether the answer gets as long as announced: over HTTP nobody waits for more, nor hears what fails then."""
        length = self._reply.header(b"content-length")
        return length.isdigit() and self._size + len(chunk) >= int(length)

    def _is_too_short(self) -> bool:
        """Tell whether the response ends before the length that it announced: a server closes the connection then."""
        length = self._reply.header(b"content-length")
        has_body = self._method != "HEAD" and self._reply.status not in {204, 304}
        return has_body and length.isdigit() and self._size < int(length)

    async def _add(self, chunk: bytes, *, more: bool) -> None:
        if chunk:
            self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > self._settings.max_result_bytes:
            await self._close_early(_too_large(self._settings.max_result_bytes))
        elif not more and self._reply.status < 500:
            self._is_whole = True
            self._reply.is_broken = self._is_too_short()
            if self._is_streamed:  # middleware ends a stream that has failed as if it were whole, and raises then
                self._after(_EXCEPTION_SECONDS, self._hand_over)
            else:
                await self._hand_over()
        elif not more:
            self._is_whole = True
            self._after(_EXCEPTION_SECONDS, self._hand_over)  # the exception behind it arrives just after the answer
        else:
            self._is_streamed = True
            self._limit_time()
            if self._report is not None and chunk:
                await self._report(len(self._chunks), None, _last_line(chunk))

    def _limit_time(self) -> None:
        seconds = self._seconds
        if self._timer is None:
            self._after(seconds, partial(self._close_early, f"it was still going on after {seconds:g} seconds"))

    async def _close_early(self, reason: str) -> None:
        self._is_whole = True
        self._reply.cut = reason
        await self._hand_over()

    def _after(self, seconds: float, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something in a task of its own, as the application may be anywhere by then."""
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()

        def start() -> None:
            self._late = loop.create_task(act())

        self._timer = loop.call_later(seconds, start)

    async def _hand_over(self) -> None:
        if self._is_taken:
            return
        self._is_taken = True
        self._reply.body = b"".join(self._chunks) if len(self._chunks) != 1 else self._chunks[0]
        self._reply.is_strict = self._is_as_written()
        if self._timer is not None:
            self._timer.cancel()
        await self._take(self._reply)
        self.close()

    def _is_as_written(self) -> bool:
        """Tell whether the answer is the endpoint's own JSON, and nothing on its way has made it another."""
        strict = self._parts.strict if self._parts is not None else None
        return strict is not None and self._reply.body is strict and self._reply.header(b"content-type") == _TYPE

    async def ended(self, exception: BaseException | None) -> None:
        """The application's work is over; an answer it did not complete is no answer."""
        if self._is_taken and exception is None and self._late is None:
            return
        self._reply.exception = exception
        if self._late is not None:
            await self._late
        elif self._is_taken and exception is not None:
            logger.error("work after an answer failed", exc_info=exception)
        elif not self._is_whole or (exception is not None and self._reply.status < 500):
            self._break_off()
        await self._hand_over()

    def _break_off(self) -> None:
        if self._chunks:
            self._reply.is_broken = True
        else:
            self._reply.status = 0

    def close(self) -> None:
        """The caller has left; the application hears of it."""
        if self._timer is not None:
            self._timer.cancel()
        self._is_closed = True
        if self._over is not None:
            self._over.set()


def _misdirected(host: str) -> Reply:
    detail = f"requests to the host {host!r} are routed to another application, so this endpoint cannot be reached"
    return Reply(421, _JSON, to_json({"detail": detail}))


def _add_trace_headers(headers: list[tuple[bytes, bytes]]) -> None:
    """Name the current span as the parent (`traceparent`), unless the headers name one already."""
    carrier: dict[str, str] = {}
    inject(carrier)
    known = {name for name, _ in headers}
    added = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in carrier.items()]
    headers += [header for header in added if header[0] not in known]


def _raw(path: str) -> bytes:
    return (path if _PLAIN_PATH.fullmatch(path) else quote(path)).encode("ascii")


def _too_large(most: int) -> str:
    return f"it is larger than {most:,} bytes"


def _last_line(chunk: bytes) -> str:
    lines = chunk.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else ""
