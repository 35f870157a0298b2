"""The HTTP endpoint: one address for both eras.

The SDK's session manager answers; this stands before it and closes what it leaves open: streams that never end in
stateless mode, requests of 2026-07-28 taken for older ones, bodies that trickle in for ever, work that goes on after
its client has left, and sessions that anybody may use.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.types import Message, Receive, Scope, Send

from toolway.protocol.origin import host_allowed, origin_allowed
from toolway.protocol.refusal import Refusal, refuse
from toolway.settings import Settings

__all__ = ["Endpoint"]

_VERSION_KEY = "io.modelcontextprotocol/protocolVersion"


class Endpoint:
    """An ASGI application; it stays where it is mounted while servers come and go with the application's lifespan."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._manager: StreamableHTTPSessionManager | None = None
        self._in_flight: set[tuple[bytes, str | int]] = set()

    @asynccontextmanager
    async def serving(self, server: Server[Any]) -> AsyncIterator[None]:
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
        body: bytes | None = None
        try:
            headers = dict(scope["headers"])
            manager = self._check(scope, headers)
            if scope["method"] != "POST":
                await manager.handle_request(self._identified(scope, headers), receive, send)
                return
            body = await self._read(receive)
            _check_era(headers, body)
            await self._serve(manager, self._identified(scope, headers), headers, body, receive, send)
        except Refusal as refusal:
            await refuse(send, refusal, _request_id(body))

    def _check(self, scope: Scope, headers: dict[bytes, bytes]) -> StreamableHTTPSessionManager:
        """Everything that can be said before the body is read."""
        host = headers.get(b"host", b"").decode("latin-1")
        if not host_allowed(host, self._settings):
            raise Refusal(421, f"The host {host!r} is not served here; allow it with TOOLWAY_ALLOWED_HOSTS")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and not origin_allowed(origin, host, self._settings):
            raise Refusal(403, f"Pages of {origin!r} may not call; allow it with TOOLWAY_ALLOWED_ORIGINS")
        if self._manager is None:
            raise Refusal(503, "The application has not started; serve it with its lifespan on")
        methods = ("POST", "GET", "DELETE") if self._settings.stateful else ("POST",)
        if scope["method"] not in methods:
            allow = (b"allow", ", ".join(methods).encode())
            raise Refusal(405, f"Expected {' or '.join(methods)}, got {scope['method']}", allow)
        content_type = headers.get(b"content-type", b"").decode("latin-1").lower()
        if scope["method"] == "POST" and content_type.partition(";")[0].strip() != "application/json":
            raise Refusal(415, f"Expected Content-Type application/json, got {content_type!r}")
        return self._manager

    async def _read(self, receive: Receive) -> bytes:
        """Read the whole body; servers have no deadline of their own for a slow one."""
        parts: list[bytes] = []
        size, more = 0, True
        with anyio.move_on_after(self._settings.body_seconds) as deadline:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refusal(400, "The client left while sending its request")
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > self._settings.max_body_bytes:
                    raise Refusal(413, f"The request is larger than {self._settings.max_body_bytes:,} bytes")
                more = message.get("more_body", False)
        if deadline.cancelled_caught:
            raise Refusal(408, f"The request did not arrive within {self._settings.body_seconds:g} seconds")
        return b"".join(parts)

    def _identified(self, scope: Scope, headers: dict[bytes, bytes]) -> Scope:
        """Name the caller in the SDK's own terms, so that only who opened a session may use it."""
        authorization = headers.get(b"authorization")
        if not self._settings.stateful or authorization is None:
            return scope
        fingerprint = hashlib.sha256(authorization).hexdigest()
        user = AuthenticatedUser(AccessToken(token=fingerprint, client_id=fingerprint, scopes=[]))
        return {**scope, "user": user}

    async def _serve(
        self,
        manager: StreamableHTTPSessionManager,
        scope: Scope,
        headers: dict[bytes, bytes],
        body: bytes,
        receive: Receive,
        send: Send,
    ) -> None:
        session = headers.get(b"mcp-session-id")
        if session is None:
            await _until_disconnect(manager, scope, body, receive, send)
            return
        with self._claimed(session, body):
            await _replayed(manager, scope, body, receive, send)

    def _claimed(self, session: bytes, body: bytes) -> _Claim:
        return _Claim(self._in_flight, (session, _request_id(body)))


class _Claim:
    """Holds a request's id within its session: two requests under one id would get each other's answers."""

    def __init__(self, in_flight: set[tuple[bytes, str | int]], key: tuple[bytes, str | int | None]) -> None:
        self._in_flight = in_flight
        self._key = cast("tuple[bytes, str | int]", key) if key[1] is not None else None

    def __enter__(self) -> None:
        if self._key is None:
            return
        if self._key in self._in_flight:
            raise Refusal(400, f"A request with the id {self._key[1]!r} is still running in this session")
        self._in_flight.add(self._key)

    def __exit__(self, *_: object) -> None:
        if self._key is not None:
            self._in_flight.discard(self._key)


async def _until_disconnect(
    manager: StreamableHTTPSessionManager, scope: Scope, body: bytes, receive: Receive, send: Send
) -> None:
    """Serve a request that stands alone; its client leaving ends the work (basic/patterns/cancellation)."""
    gone = anyio.Event()

    async def watch(scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()
        scope.cancel()

    async def after_body() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async with anyio.create_task_group() as group:
        group.start_soon(watch, group.cancel_scope)
        await _replayed(manager, scope, body, after_body, send)
        group.cancel_scope.cancel()


async def _replayed(
    manager: StreamableHTTPSessionManager, scope: Scope, body: bytes, receive: Receive, send: Send
) -> None:
    """Hand on a request whose body has been read already."""
    replay: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return replay.pop() if replay else await receive()

    await manager.handle_request(scope, again, send)


def _check_era(headers: dict[bytes, bytes], body: bytes) -> None:
    """A body of 2026-07-28 needs its header: without it, it would be served as something older."""
    header = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
    if (header and header not in HANDSHAKE_PROTOCOL_VERSIONS) or _VERSION_KEY.encode() not in body:
        return
    message = _parsed(body)
    params = message.get("params")
    meta = cast("dict[str, Any]", params).get("_meta") if isinstance(params, dict) else None
    if "id" in message and message.get("method") != "initialize" and isinstance(meta, dict) and _VERSION_KEY in meta:
        found = f"says {header!r}" if header else "is missing"
        raise Refusal.mismatch(f"The header MCP-Protocol-Version {found}, the body's _meta says {meta[_VERSION_KEY]!r}")


def _request_id(body: bytes | None) -> str | int | None:
    found = _parsed(body).get("id") if body else None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", message) if isinstance(message, dict) else {}
