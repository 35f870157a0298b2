"""The HTTP endpoint for all protocol revisions.

The fast lane handles the most frequent requests, the SDK's session manager the others. The endpoint also corrects the
SDK where it leaves streams open in stateless mode, takes requests of MCP 2026-07-28 for older ones, waits forever for
slow bodies, and lets any caller use a session.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.types import Message as Event
from starlette.types import Receive, Scope, Send

from toolway.calls import CONTEXT_KEY, Invoker
from toolway.protocol.fast_lane.lane import FastLane
from toolway.protocol.http.admission import ADMISSION_KEY, Admission
from toolway.protocol.http.jsonrpc import (
    Headers,
    HTTPRejection,
    Message,
    check_version_header,
    header_text,
    read_headers,
    read_message,
    request_id,
    send_rejection,
)
from toolway.protocol.http.request_checks import RequestChecks, read_body
from toolway.protocol.http.request_scope import keep_user
from toolway.protocol.http.sdk_streams import DeferredEventStream, EventStreamGuard
from toolway.protocol.http.session_managers import SessionManagers
from toolway.protocol.http.shutdown import watch_for_shutdown
from toolway.protocol.http.timeouts import DeadlineSend, SlowClientError, Timers
from toolway.protocol.principals import Principals, keep_guard_parameters
from toolway.protocol.server import CatalogServer
from toolway.settings import Settings

__all__ = ["Endpoint", "replay_body"]

logger = logging.getLogger("toolway.protocol")

_NOT_STARTED = (
    "MCP is not running: this application's lifespan was not started. If the app is mounted inside another app, use "
    "Toolway(app).mount(on=outer_app). Call mount() before startup."
)


class Endpoint:
    """An ASGI application that stays mounted while servers start and stop with the application's lifespan."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._checks = RequestChecks(settings)
        self._managers: SessionManagers | None = None
        self._principals: Principals | None = None
        self._lane: FastLane | None = None
        self._create_lane: Callable[[], FastLane] | None = None
        self._timers = Timers()
        self._in_flight: set[tuple[str, str]] = set()
        """The session and the id of each request that is running in a session."""

    @asynccontextmanager
    async def serving(self, server: CatalogServer, calls: Invoker) -> AsyncGenerator[None]:
        """Serve this server until the context exits."""

        def begin_shutdown(seconds: float) -> None:
            server.subscriptions.begin_shutdown()
            calls.begin_shutdown(seconds)

        stateful = bool(self._settings.stateful)
        managers = SessionManagers(server, calls, self._settings)
        async with managers.run():
            self._managers, self._timers, self._principals = managers, Timers(), Principals(calls)
            if self._settings.fast_lane:
                timers = self._timers
                self._create_lane = lambda: FastLane(server, calls, timers, managers.handle_request, stateful=stateful)
            self.refresh()
            try:
                with watch_for_shutdown(begin_shutdown, self._settings.shutdown_seconds):
                    yield
            finally:
                self._managers = self._lane = self._create_lane = None

    def refresh(self) -> None:
        """Use the current catalog for new requests; running requests keep the previous one."""
        self._lane = self._create_lane() if self._create_lane is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if CONTEXT_KEY in scope:  # for example if an endpoint names this address in its Location header
                raise HTTPRejection(404, "A tool call cannot target the MCP endpoint itself.")  # noqa: TRY301 - another function costs more
            method, headers, managers = scope["method"], read_headers(scope["headers"]), self._managers
            has_session = managers is not None and managers.has_sessions and managers.is_in_session(headers)
            self._checks.check(method, headers, has_session=has_session)
            if managers is None:
                raise HTTPRejection(503, _NOT_STARTED)  # noqa: TRY301 - as above
            body = await read_body(receive, self._settings, self._timers) if method == "POST" else b""
        except HTTPRejection as rejection:
            await send_rejection(send, rejection)
            return
        if "route" in scope or "fastapi" in scope:  # otherwise it has bypassed the router, and nothing guards the path
            scope = keep_guard_parameters(scope)
        admission: Admission | None = scope.get(ADMISSION_KEY)
        if admission is None or admission.is_granted:
            await self._respond(scope, headers, body, receive, send)
        else:
            await admission.grant(partial(self._respond, scope, headers, body), send)

    async def _respond(self, scope: Scope, headers: Headers, body: bytes, receive: Receive, send: Send) -> None:
        send = DeadlineSend(send, self._timers, self._settings.send_seconds)
        try:
            try:
                if scope["method"] == "POST":
                    await self._post(scope, headers, body, receive, send)
                else:
                    in_session = self._running_managers().is_in_session(headers)
                    await self._pass_to_sdk(scope, receive, send, in_session=in_session)
            except HTTPRejection as rejection:
                await send_rejection(send, rejection)
        except* SlowClientError as errors:  # the server closes the connection, as the response is incomplete
            logger.warning("a response was not sent completely: %s", errors.exceptions[0])

    async def _post(self, scope: Scope, headers: Headers, body: bytes, receive: Receive, send: Send) -> None:
        message = read_message(body)
        check_version_header(headers, message)
        managers = self._managers
        in_session = managers is not None and managers.has_sessions and managers.is_in_session(headers, message)
        lane = None if in_session else self._lane
        if lane is not None and await lane.handle(scope, headers, message, receive, send):
            return
        stream = DeferredEventStream(send)
        with self._reserved_id(headers, message, in_session=in_session):
            receive = replay_body(body, receive)
            await self._pass_to_sdk(scope, receive, stream.send, request_id(message), in_session=in_session)
        await stream.finish()

    async def _pass_to_sdk(
        self, scope: Scope, receive: Receive, send: Send, number: str | int | None = None, *, in_session: bool
    ) -> None:
        managers = self._running_managers()
        scope = {**scope, "headers": [(name, _normalize(name, value)) for name, value in scope["headers"]]}
        caller = self._principals.for_scope(scope) if managers.has_sessions and self._principals else None
        if caller is not None:  # the SDK lets only this user use a session that the request opens
            user = AuthenticatedUser(AccessToken(token=caller, client_id=caller, scopes=[]))
            scope = {**keep_user(scope), "user": user}
        stream = EventStreamGuard(send, number)
        await managers.handle_request(scope, receive, stream.send, in_session=in_session)
        await stream.complete()

    def _running_managers(self) -> SessionManagers:
        if self._managers is None:
            raise HTTPRejection(503, _NOT_STARTED)
        return self._managers

    @contextmanager
    def _reserved_id(self, headers: Headers, message: Message, *, in_session: bool) -> Generator[None]:
        """Reserve a request's id within its session: the SDK mixes up the responses to two requests with one id."""
        number = request_id(message) if "method" in message else None
        session = header_text(headers, b"mcp-session-id") if in_session else None
        if number is None or session is None:
            yield
            return
        entry = (session, str(number))  # the SDK does not distinguish 1 from "1"
        if entry in self._in_flight:
            text = f"A request with the id {number!r} is still running in this session"
            raise HTTPRejection(400, text, request_id=number)
        self._in_flight.add(entry)
        try:
            yield
        finally:
            self._in_flight.discard(entry)


def _normalize(name: bytes, value: bytes) -> bytes:
    """Strip blanks, which uvicorn keeps, and lower the case of media types, which the SDK compares
    (RFC 9110, sections 5.5 and 8.3.1)."""
    return (value.lower() if name == b"content-type" else value).strip(b" \t")


def replay_body(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that returns a body which has been read already, and then continues with the given one."""
    events: list[Event] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Event:
        return events.pop() if events else await receive()

    return replay
