"""Middleware sees an MCP request first, and the request's work begins once the middleware stack has been left.

A tool call sends a request of its own through the application's middleware. Inside the pass of the MCP request the two
would nest, and a middleware that holds something while a request runs, such as a place of a limiter, a lock or a
database session, would wait for itself.
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
from toolway.middleware import RouterBypassMiddleware, middleware_layers
from toolway.protocol.http.outer_scope import keep_scope_before_middleware

__all__ = ["ADMISSION", "Admission", "AdmissionMiddleware", "admitting"]

ADMISSION = "toolway.admission"
"""The key of a request's `Admission` in its ASGI scope."""

Respond: TypeAlias = Callable[[Receive, Send], Awaitable[None]]

_PASSES_ON = frozenset(
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
"""Middleware that holds nothing while a request runs."""
_PLACEHOLDER = b"{}"
_PLACEHOLDER_HEADERS = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(_PLACEHOLDER)))
_ABOUT_BODY = frozenset({b"content-encoding", b"content-length", b"content-type", b"etag", b"transfer-encoding"})
_REPEATED = frozenset({b"set-cookie", b"vary"})
_MISSING = object()


class Admission:
    """What the middleware let through of one MCP request, and what it added to the response.

    Args:
        scope: the request, as it was before the middleware.
        send: sends the response, past the middleware.
        compression: the application's GZipMiddleware, which the response passes later: it only saw a placeholder.
    """

    def __init__(self, scope: Scope, send: Send, compression: Sequence[GZipMiddleware]) -> None:
        self._scope = scope
        self._send = send
        self._compression = compression
        self._granted: tuple[Respond, Context] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._is_held_back = False

    async def grant(self, respond: Respond, send: Send) -> None:
        """Note how to respond later, and send a placeholder through the middleware."""
        self._granted = respond, copy_context()
        await send({"type": "http.response.start", "status": 200, "headers": [*_PLACEHOLDER_HEADERS]})
        await send({"type": "http.response.body", "body": _PLACEHOLDER})

    async def send(self, message: Message) -> None:
        """Keep the headers of the placeholder; send any other response, which is a refusal of the middleware."""
        if message["type"] == "http.response.start":
            self._is_held_back = self._granted is not None and message["status"] == 200
            self._headers = [header for header in message.get("headers", ()) if header[0].lower() not in _ABOUT_BODY]
        if not self._is_held_back:
            await self._send(message)

    def responder(self) -> Respond | None:
        """Return how to respond; None where the middleware has responded itself."""
        return partial(self._run, *self._granted) if self._granted is not None and self._is_held_back else None

    async def _run(self, respond: Respond, context: Context, receive: Receive, send: Send) -> None:
        """Respond with the middleware's headers and context variables."""
        tokens = [(var, var.set(value)) for var, value in context.items() if var.get(_MISSING) is not value]
        try:
            if self._compression:
                await self._compressed(respond)(self._scope, receive, self._with_headers(send))
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
                message = {**message, "headers": self._merged(list(message.get("headers", ())))}
            await send(message)

        return send_with_headers

    def _merged(self, own: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Merge the response's own headers with those of the middleware, which win as they do over HTTP."""
        replaced = {name.lower() for name, _ in self._headers} - _REPEATED
        kept = [header for header in own if header[0].lower() not in replaced and header not in self._headers]
        return kept + self._headers

    def _compressed(self, respond: Respond) -> ASGIApp:
        async def app(_: Scope, receive: Receive, send: Send) -> None:
            await respond(receive, send)

        compressed: ASGIApp = app
        for layer in reversed(self._compression):
            middleware = copy(layer)
            middleware.app, compressed = compressed, middleware
        return compressed


class AdmissionMiddleware:
    """Stands outside of all of an application's middleware, and runs the work of MCP requests there.

    Args:
        app: the application's middleware stack.
        path: what the paths of MCP requests end with; other requests pass untouched.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.app = app
        self._paths = path, f"{path}/"
        self._compression = [layer for layer in middleware_layers(app) if type(layer) is GZipMiddleware]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith(self._paths) or CONTEXT_KEY in scope:
            await self.app(scope, receive, send)
            return
        admission = Admission(scope, send, self._compression)
        await self.app({**keep_scope_before_middleware(scope), ADMISSION: admission}, receive, admission.send)
        respond = admission.responder()
        outer: Admission | None = scope.get(ADMISSION)  # of an application that this one is mounted in
        if respond is not None and outer is not None:
            await outer.grant(respond, send)
        elif respond is not None:
            await respond(receive, send)


@contextmanager
def admitting(app: FastAPI, path: str, *, is_guarded: bool) -> Generator[None]:
    """Run the work of MCP requests outside of an application's middleware, where that may hold something.

    Args:
        app: the application that serves MCP.
        path: the path of MCP, or its end.
        is_guarded: whether dependencies guard the path; they may hold something as middleware may.
    """
    stack = app.middleware_stack if app.middleware_stack is not None else app.build_middleware_stack()
    if not is_guarded and _passes_on(stack, app):
        yield
        return
    app.middleware_stack = admission = AdmissionMiddleware(stack, path)
    try:
        yield
    finally:
        if app.middleware_stack is admission:
            app.middleware_stack = stack


def _passes_on(stack: ASGIApp, app: FastAPI) -> bool:
    """Tell whether a middleware stack holds nothing while a request runs; one that cannot be looked into may."""
    layers = list(middleware_layers(stack))
    kinds = {
        f"{type(layer).__module__}.{type(layer).__qualname__}"
        for layer in layers[:-1]
        if not isinstance(layer, RouterBypassMiddleware)
    }
    return layers[-1] is app.router and kinds <= _PASSES_ON
