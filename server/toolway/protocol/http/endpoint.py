"""The HTTP endpoint: one address for both eras.

The fast lane answers what comes most, the SDK's session manager the rest. This stands before both and closes what the
SDK leaves open: streams that never end in stateless mode, requests of 2026-07-28 taken for older ones, bodies that
trickle in for ever, and sessions that anybody may use.
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
from toolway.protocol.http.admission import ADMISSION, Admission
from toolway.protocol.http.jsonrpc import (
    Headers,
    Message,
    check_era,
    read_headers,
    read_message,
    request_id,
    text_of,
)
from toolway.protocol.http.outer_scope import keep_user
from toolway.protocol.http.rejection import HTTPRejection, refuse
from toolway.protocol.http.request_checks import RequestChecks, read_body
from toolway.protocol.http.response_stream import DeferredEventStream, EventStreamGuard
from toolway.protocol.http.session_managers import SessionManagers
from toolway.protocol.http.shutdown import watch_for_shutdown
from toolway.protocol.http.slow_clients import DeadlineSend, SlowClientError
from toolway.protocol.http.timers import Timers
from toolway.protocol.principals import Principals, keep_guard
from toolway.protocol.server import CatalogServer
from toolway.settings import Settings

__all__ = ["Endpoint", "replayed"]

logger = logging.getLogger("toolway.protocol")

_NOT_STARTED = (
    "The application has not started. Serve it with its lifespan on; where it is mounted in another application, whose "
    "server does not start it, put MCP on that one: mount(on=...); and call mount() before the start"
)


class Endpoint:
    """An ASGI application; it stays where it is mounted while servers come and go with the application's lifespan."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._gate = RequestChecks(settings)
        self._managers: SessionManagers | None = None
        self._principals: Principals | None = None
        self._lane: FastLane | None = None
        self._make_lane: Callable[[], FastLane] | None = None
        self._timers = Timers()
        self._in_flight: set[tuple[str, str]] = set()

    @asynccontextmanager
    async def serving(self, server: CatalogServer, calls: Invoker) -> AsyncGenerator[None]:
        """Answer with this server until the context ends; a manager of the SDK runs only once."""

        def begin_shutdown(seconds: float) -> None:
            server.listening.end()
            calls.begin_shutdown(seconds)

        stateful = bool(self._settings.stateful)
        managers = SessionManagers(server, calls, self._settings)
        async with managers.run():
            self._managers, self._timers, self._principals = managers, Timers(), Principals(calls)
            if self._settings.fast_lane:
                timers = self._timers
                self._make_lane = lambda: FastLane(server, calls, timers, managers.handle_request, stateful=stateful)
            self.renew()
            try:
                with watch_for_shutdown(begin_shutdown, self._settings.shutdown_seconds):
                    yield
            finally:
                self._managers = self._lane = self._make_lane = None

    def renew(self) -> None:
        """Forget what was made ready of an older catalogue; requests on their way keep it."""
        self._lane = self._make_lane() if self._make_lane is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = self._checked(scope)
            self._started()
            body = await read_body(receive, self._settings, self._timers) if scope["method"] == "POST" else b""
        except HTTPRejection as refusal:
            await refuse(send, refusal)
            return
        scope = keep_guard(scope)
        admission: Admission | None = scope.get(ADMISSION)
        if admission is None:
            await self._respond(scope, headers, body, receive, send)
        else:
            await admission.grant(partial(self._respond, scope, headers, body), send)

    async def _respond(self, scope: Scope, headers: Headers, body: bytes, receive: Receive, send: Send) -> None:
        in_time = DeadlineSend(send, self._timers, self._settings.send_seconds)
        try:
            await self._answer(scope, headers, body, receive, in_time)
        except* SlowClientError as errors:  # the server closes the connection, as the response is not complete
            logger.warning("a response was not sent whole: %s", errors.exceptions[0])

    async def _answer(self, scope: Scope, headers: Headers, body: bytes, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "POST":
                await self._post(scope, headers, body, receive, send)
            else:
                await self._leave_to_sdk(scope, receive, send, in_session=self._started().keeps(headers))
        except HTTPRejection as refusal:
            await refuse(send, refusal)

    def _checked(self, scope: Scope) -> Headers:
        if CONTEXT_KEY in scope:  # an endpoint has named this address as where the state of its work stands
            raise HTTPRejection(404, "MCP is not called by its own tools")
        headers = read_headers(scope["headers"])
        has_session = self._managers.keeps(headers) if self._managers is not None else False
        self._gate.check(scope["method"], headers, has_session=has_session)
        return headers

    async def _post(self, scope: Scope, headers: Headers, body: bytes, receive: Receive, send: Send) -> None:
        message = read_message(body)
        check_era(text_of(headers, b"mcp-protocol-version"), message)
        in_session = self._started().keeps(headers, message)
        lane = None if in_session else self._lane
        if lane is not None and await lane.answers(scope, headers, message, receive, send):
            return
        answers, deferred = request_id(message), DeferredEventStream(send)
        with self._claimed(headers, message, in_session=in_session):
            await self._leave_to_sdk(scope, replayed(body, receive), deferred.send, answers, in_session=in_session)
        await deferred.finish()

    async def _leave_to_sdk(
        self, scope: Scope, receive: Receive, send: Send, answers: str | int | None = None, *, in_session: bool
    ) -> None:
        stream = EventStreamGuard(send, answers)
        await self._started().handle_request(self._for_sdk(scope), receive, stream.send, in_session=in_session)
        await stream.complete()

    def _started(self) -> SessionManagers:
        if self._managers is None:
            raise HTTPRejection(503, _NOT_STARTED)
        return self._managers

    def _for_sdk(self, scope: Scope) -> Scope:
        """Name the caller in the SDK's own terms, so that only who opened a session may use it."""
        scope = {**scope, "headers": [(name, _cleaned(name, value)) for name, value in scope["headers"]]}
        who = self._principals.of(scope) if self._started().has_sessions and self._principals else None
        if who is None:
            return scope
        user = AuthenticatedUser(AccessToken(token=who, client_id=who, scopes=[]))
        return {**keep_user(scope), "user": user}

    @contextmanager
    def _claimed(self, headers: Headers, message: Message, *, in_session: bool) -> Generator[None]:
        """Hold a request's id within its session: two requests under one id would get each other's answers."""
        number = request_id(message) if "method" in message else None
        session = text_of(headers, b"mcp-session-id") if in_session else None
        if number is None or session is None:
            yield
            return
        claim = (session, str(number))  # the SDK does not tell 1 from "1"
        if claim in self._in_flight:
            text = f"A request with the id {number!r} is still running in this session"
            raise HTTPRejection(400, text, request_id=number)
        self._in_flight.add(claim)
        try:
            yield
        finally:
            self._in_flight.discard(claim)


def _cleaned(name: bytes, value: bytes) -> bytes:
    """Blanks around a value are no part of it, but uvicorn leaves them; capitals of a media type mean nothing, but the
    SDK compares them (RFC 9110, sections 5.5 and 8.3.1)."""
    return (value.lower() if name == b"content-type" else value).strip(b" \t")


def replayed(body: bytes, receive: Receive) -> Receive:
    """Hand on a body that has been read already, and after it the client's leaving."""
    replay: list[Event] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Event:
        return replay.pop() if replay else await receive()

    return again
