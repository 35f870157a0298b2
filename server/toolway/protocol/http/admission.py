"""Execution of MCP requests outside the application's middleware, after it has admitted them.

A tool call sends a request of its own through the application's middleware. If it ran while the MCP request is still
inside, a middleware that holds a resource during a request (a slot of a limiter, a lock, a database session) could wait
for itself. So the middleware sees the MCP request with a placeholder response, and the work begins afterwards.

Any request may be an MCP request, as a middleware can rewrite its path. So each one gets an `Admission`, which only the
MCP endpoint uses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import Context, copy_context
from copy import copy
from functools import partial
from typing import TypeAlias

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolway.calls import CONTEXT_KEY
from toolway.host.middleware import RouterBypassMiddleware, middleware_layers
from toolway.protocol.http.request_scope import keep_scope_before_middleware

__all__ = ["ADMISSION_KEY", "Admission", "AdmissionMiddleware", "admission_installed"]

ADMISSION_KEY = "toolway.admission"
"""The key of a request's `Admission` in its ASGI scope."""

Respond: TypeAlias = Callable[[Receive, Send], Awaitable[None]]

_HARMLESS_MIDDLEWARE = frozenset(
    {
        "fastapi._body_limit.AppBodyLimitMiddleware",
        "fastapi.middleware.asyncexitstack.AsyncExitStackMiddleware",
        "fastapi.telemetry._asgi.ExceptionTelemetryMiddleware",
        "starlette.middleware.body_limit.RequestBodyLimitMiddleware",
        "starlette.middleware.cors.CORSMiddleware",
        "starlette.middleware.errors.ServerErrorMiddleware",
        "starlette.middleware.exceptions.ExceptionMiddleware",
        "starlette.middleware.gzip.GZipMiddleware",
        "starlette.middleware.httpsredirect.HTTPSRedirectMiddleware",
        "starlette.middleware.sessions.SessionMiddleware",
        "starlette.middleware.trustedhost.TrustedHostMiddleware",
    }
)
"""Middleware that holds no resource during a request."""
_PLACEHOLDER = b"{}"
_PLACEHOLDER_HEADERS = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(_PLACEHOLDER)))
_BODY_HEADERS = frozenset({b"content-encoding", b"content-length", b"content-type", b"etag", b"transfer-encoding"})
_REPEATABLE_HEADERS = frozenset({b"set-cookie", b"vary"})
_MISSING = object()


class Admission:
    """The pass of one request through the middleware.

    Args:
        scope: the scope of the request before the middleware.
        send: sends the response, outside the middleware.
        compression: the application's GZipMiddleware, applied to the response, as it saw only the placeholder.
    """

    def __init__(self, scope: Scope, send: Send, compression: Sequence[GZipMiddleware]) -> None:
        self._scope = scope
        self._send = send
        self._compression = compression
        self._deferred: tuple[Respond, Context] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._is_placeholder = False

    @property
    def is_granted(self) -> bool:
        """Whether the request has passed the middleware."""
        return self._deferred is not None

    async def grant(self, respond: Respond, send: Send) -> None:
        """Store how to respond later, and send a placeholder through the middleware."""
        self._deferred = respond, copy_context()
        await send({"type": "http.response.start", "status": 200, "headers": [*_PLACEHOLDER_HEADERS]})
        await send({"type": "http.response.body", "body": _PLACEHOLDER})

    async def send(self, message: Message) -> None:
        """Store the headers of the placeholder; send any other response, a rejection by the middleware."""
        if message["type"] == "http.response.start":
            self._is_placeholder = self._deferred is not None and message["status"] == 200
            if self._is_placeholder:
                headers = message.get("headers", ())
                self._headers = [header for header in headers if header[0].lower() not in _BODY_HEADERS]
        if not self._is_placeholder:
            await self._send(message)

    def responder(self) -> Respond | None:
        """Return how to respond; None if the middleware has sent a response of its own."""
        return partial(self._run, *self._deferred) if self._deferred is not None and self._is_placeholder else None

    async def _run(self, respond: Respond, context: Context, receive: Receive, send: Send) -> None:
        """Respond with the headers and context variables that the middleware has set."""
        tokens = [(var, var.set(value)) for var, value in context.items() if var.get(_MISSING) is not value]
        try:
            if self._compression:
                await self._compress(respond)(self._scope, receive, self._with_headers(send))
            else:
                await respond(receive, self._with_headers(send))
        finally:
            for var, token in tokens:
                var.reset(token)

    def _with_headers(self, send: Send) -> Send:
        if not self._headers:
            return send

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._merge(list(message.get("headers", ())))}
            await send(message)

        return send_with_headers

    def _merge(self, own: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Merge the headers of the response with those of the middleware, which take precedence as over plain HTTP."""
        replaced = {name.lower() for name, _ in self._headers} - _REPEATABLE_HEADERS
        kept = [header for header in own if header[0].lower() not in replaced and header not in self._headers]
        return kept + self._headers

    def _compress(self, respond: Respond) -> ASGIApp:
        async def app(_: Scope, receive: Receive, send: Send) -> None:
            await respond(receive, send)

        compressed: ASGIApp = app
        for layer in reversed(self._compression):
            middleware = copy(layer)
            middleware.app, compressed = compressed, middleware
        return compressed


class AdmissionMiddleware:
    """The outermost middleware of an application, which executes MCP requests outside the others.

    Args:
        app: the application's middleware stack.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._compression = [layer for layer in middleware_layers(app) if type(layer) is GZipMiddleware]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or CONTEXT_KEY in scope:
            await self.app(scope, receive, send)
            return
        outer: Admission | None = scope.get(ADMISSION_KEY)  # of the outer application, if this one is mounted
        admission = Admission(dict(scope), send, self._compression)
        keep_scope_before_middleware(scope)
        scope[ADMISSION_KEY] = admission  # in place: outer ASGI applications read the route from this very scope
        await self.app(scope, receive, admission.send)
        respond = admission.responder()
        if respond is not None and outer is not None:
            await outer.grant(respond, send)
        elif respond is not None:
            await respond(receive, send)


@contextmanager
def admission_installed(app: FastAPI, *, is_guarded: bool) -> Generator[None]:
    """Execute MCP requests outside an application's middleware, if that may hold a resource.

    Args:
        app: the application that serves MCP.
        is_guarded: whether dependencies guard the path, as they may hold a resource like middleware.
    """
    stack = app.middleware_stack if app.middleware_stack is not None else app.build_middleware_stack()
    if not is_guarded and _is_harmless(stack, app):
        yield
        return
    app.middleware_stack = admission = AdmissionMiddleware(stack)
    try:
        yield
    finally:
        if app.middleware_stack is admission:
            app.middleware_stack = stack


def _is_harmless(stack: ASGIApp, app: FastAPI) -> bool:
    """Return whether a middleware stack holds no resource during a request; an unknown middleware may hold one."""
    layers = list(middleware_layers(stack))
    kinds = {
        f"{type(layer).__module__}.{type(layer).__qualname__}"
        for layer in layers[:-1]
        if not isinstance(layer, RouterBypassMiddleware)
    }
    return layers[-1] is app.router and kinds <= _HARMLESS_MIDDLEWARE
