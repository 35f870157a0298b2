"""The SDK's session managers, and which requests of MCP 2024-11-05 to 2025-11-25 belong to a session.

Over HTTP, a client of these revisions can receive questions only in a session, which lives in one process.
`Settings.stateful` opens one for every client, or for none. Without it, a server with one process and tools that ask
questions opens one for each client that can answer. All other requests are stateless, also those that name a session
which has ended, as only questions need it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import Receive, Scope, Send

from toolway.calls import Invoker, may_ask
from toolway.protocol.http.jsonrpc import Headers, Message, has_handshake, header_text
from toolway.protocol.http.worker_processes import is_one_of_several
from toolway.settings import Settings

__all__ = ["SessionManagers"]

logger = logging.getLogger("toolway.protocol")

_QUESTIONS = ("elicitation", "sampling", "roots")


class SessionManagers:
    """Routes requests to a manager with sessions or to one without; there is at least one of them."""

    def __init__(self, server: Server[Any], calls: Invoker, settings: Settings) -> None:
        keeps = bool(settings.stateful) or (settings.stateful is None and _needs_sessions(calls))
        self._stateful = _manager(server, settings, stateless=False) if keeps else None
        self._stateless = _manager(server, settings, stateless=True) if not settings.stateful else None
        self.has_sessions = keeps
        """Whether any request can belong to a session."""

    def is_in_session(self, headers: Headers, message: Message | None = None) -> bool:
        """Return whether a request belongs to a session, or opens one."""
        if self._stateful is None or not has_handshake(header_text(headers, b"mcp-protocol-version")):
            return False
        if self._stateless is None:
            return True
        session = header_text(headers, b"mcp-session-id")
        if session is not None:
            return session in self._stateful._server_instances  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        return message is not None and message.get("method") == "initialize" and _can_answer(message.get("params"))

    async def handle_request(self, scope: Scope, receive: Receive, send: Send, *, in_session: bool = False) -> None:
        """Pass a request to the SDK."""
        manager = self._stateful if in_session or self._stateless is None else self._stateless
        assert manager is not None  # noqa: S101 - one of the two exists, and only the first one has sessions
        await manager.handle_request(scope, receive, send)

    @asynccontextmanager
    async def run(self) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            for manager in (self._stateful, self._stateless):
                if manager is not None:
                    await stack.enter_async_context(manager.run())
            yield


def _manager(server: Server[Any], settings: Settings, *, stateless: bool) -> StreamableHTTPSessionManager:
    return StreamableHTTPSessionManager(
        app=server,
        stateless=stateless,
        security_settings=TransportSecuritySettings(
            enable_dns_rebinding_protection=False
        ),  # request_checks does it, with JSON errors
        max_request_body_size=settings.max_body_bytes,
    )


def _needs_sessions(calls: Invoker) -> bool:
    """Return whether a tool asks questions and this process can keep sessions; log a warning if it cannot."""
    tools = (*calls.tools.values(), *(tool for tool in calls.built_in.values() if calls.offers(tool, ())))
    asking = next((tool.name for tool in tools if may_ask(tool)), None)
    if asking is not None and is_one_of_several():
        logger.warning(
            "tools that ask the user, such as %r, do not work for clients of MCP 2025-11-25 and earlier: these need a "
            "session, which lives in one process, and there are several. Run one process, or let such clients "
            "skip the confirmation (TOOLWAY_CONFIRM=if_possible)",
            asking,
        )
        return False
    return asking is not None


def _can_answer(params: object) -> bool:
    """Return whether the parameters of `initialize` declare a capability to answer questions."""
    capabilities: object = cast("Mapping[str, Any]", params).get("capabilities") if isinstance(params, dict) else None
    return isinstance(capabilities, dict) and any(
        cast("Mapping[str, Any]", capabilities).get(name) is not None for name in _QUESTIONS
    )
