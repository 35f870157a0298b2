"""The HTTP endpoint: one address for both eras.

The SDK's session manager answers; this stands before it and closes what it leaves open: streams that never end in
stateless mode, requests of 2026-07-28 taken for older ones, bodies that trickle in for ever, and sessions that anybody
may use.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import Message as Event
from starlette.types import Receive, Scope, Send

from toolway.protocol.gate import check_address, check_media_types, check_method, read_body
from toolway.protocol.message import Message, check_era, header_values, is_handshake, read_message, request_id
from toolway.protocol.refusal import Refusal, refuse
from toolway.settings import Settings

__all__ = ["Endpoint"]


class Endpoint:
    """An ASGI application; it stays where it is mounted while servers come and go with the application's lifespan."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._manager: StreamableHTTPSessionManager | None = None
        self._in_flight: set[tuple[str, str]] = set()

    @asynccontextmanager
    async def serving(self, server: Server[Any]) -> AsyncGenerator[None]:
        """Answer with this server until the context ends; a manager of the SDK runs only once."""
        manager = StreamableHTTPSessionManager(
            app=server,
            stateless=not self._settings.stateful,
            security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # done here, as JSON
            max_request_body_size=self._settings.max_body_bytes,
        )
        async with manager.run():
            self._manager = manager
            try:
                yield
            finally:
                self._manager = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, "headers": [(name, _cleaned(name, value)) for name, value in scope["headers"]]}
        try:
            headers = header_values(scope["headers"])
            check_address(headers, self._settings)
            check_method(scope["method"], stateful=self._settings.stateful)
            if scope["method"] == "POST":
                await self._post(scope, headers, receive, send)
            else:
                await self._started().handle_request(self._identified(scope, headers), receive, send)
        except Refusal as refusal:
            await refuse(send, refusal)

    async def _post(self, scope: Scope, headers: Mapping[bytes, str], receive: Receive, send: Send) -> None:
        check_media_types(headers)
        body = await read_body(receive, self._settings)
        message = read_message(body)
        check_era(headers.get(b"mcp-protocol-version"), message)
        with self._claimed(headers, message):
            await self._started().handle_request(self._identified(scope, headers), _replayed(body, receive), send)

    def _started(self) -> StreamableHTTPSessionManager:
        if self._manager is None:
            raise Refusal(503, "The application has not started; serve it with its lifespan on")
        return self._manager

    def _identified(self, scope: Scope, headers: Mapping[bytes, str]) -> Scope:
        """Name the caller in the SDK's own terms, so that only who opened a session may use it."""
        authorization = headers.get(b"authorization")
        if not self._settings.stateful or authorization is None:
            return scope
        fingerprint = hashlib.sha256(authorization.encode("latin-1")).hexdigest()
        user = AuthenticatedUser(AccessToken(token=fingerprint, client_id=fingerprint, scopes=[]))
        return {**scope, "user": user}

    @contextmanager
    def _claimed(self, headers: Mapping[bytes, str], message: Message) -> Generator[None]:
        """Hold a request's id within its session: two requests under one id would get each other's answers."""
        number = request_id(message) if "method" in message else None
        session = headers.get(b"mcp-session-id") if is_handshake(headers.get(b"mcp-protocol-version")) else None
        if number is None or session is None or not self._settings.stateful:
            yield
            return
        claim = (session, str(number))  # the SDK does not tell 1 from "1"
        if claim in self._in_flight:
            text = f"A request with the id {number!r} is still running in this session"
            raise Refusal(400, text, request_id=number)
        self._in_flight.add(claim)
        try:
            yield
        finally:
            self._in_flight.discard(claim)


def _cleaned(name: bytes, value: bytes) -> bytes:
    """Blanks around a value are no part of it, but uvicorn leaves them; capitals of a media type mean nothing, but the
    SDK compares them (RFC 9110, sections 5.5 and 8.3.1)."""
    return (value.lower() if name == b"content-type" else value).strip(b" \t")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Hand on a body that has been read already, and after it the client's leaving."""
    replay: list[Event] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Event:
        return replay.pop() if replay else await receive()

    return again
