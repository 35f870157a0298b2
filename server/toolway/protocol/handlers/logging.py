"""Log messages of endpoints to clients (deprecated in MCP 2026-07-28).

Since MCP 2026-07-28 each request names its log level. Before, ``logging/setLevel`` sets the level of a session.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Any, cast

from mcp.server.lowlevel import Server
from mcp_types import (
    LOG_LEVEL_META_KEY,
    EmptyResult,
    LoggingMessageNotification,
    LoggingMessageNotificationParams,
    SetLevelRequestParams,
)
from starlette.requests import Request

from toolway.calls import LEVELS, LogCallback, may_log
from toolway.catalog import Tool
from toolway.protocol.requests import RequestContext
from toolway.protocol.versions import revision_for

__all__ = ["LogLevels"]

_MAX_SESSIONS = 10_000
_SESSION_HEADER = "mcp-session-id"
_DEFAULT = "info"
"""The level for clients without a session, which cannot set one; the server may choose it
(https://modelcontextprotocol.io/specification/2025-11-25/server/utilities/logging)."""


class LogLevels:
    """The minimum level of the log messages that each client receives."""

    def __init__(self) -> None:
        self._by_session: OrderedDict[str | None, str] = OrderedDict()

    def register(self, server: Server[Any], tools: Collection[Tool]) -> None:
        """Serve ``logging/setLevel`` if any tool logs messages."""
        if any(may_log(tool) for tool in tools):
            server.add_request_handler("logging/setLevel", SetLevelRequestParams, self._set_level)

    async def _set_level(self, context: RequestContext, params: SetLevelRequestParams) -> EmptyResult:
        session = _session_id(context)
        if session == "":  # without a session, there is nothing to store it for
            return EmptyResult()
        self._by_session[session] = params.level
        self._by_session.move_to_end(session)
        if len(self._by_session) > _MAX_SESSIONS:
            self._by_session.popitem(last=False)
        return EmptyResult()

    def callback(self, context: RequestContext) -> LogCallback | None:
        """Return a function that sends messages on the stream of a request; None if its client wants no messages."""
        minimum = self._minimum(context)
        if minimum not in LEVELS:
            return None
        enabled = LEVELS[LEVELS.index(minimum) :]

        async def log(level: str, data: Any, name: str | None) -> None:
            if level in enabled:
                params = LoggingMessageNotificationParams(level=cast("Any", level), data=data, logger=name)
                notification = LoggingMessageNotification(params=params)
                await context.session.send_notification(notification, related_request_id=context.request_id)

        return log

    def _minimum(self, context: RequestContext) -> Any:
        if revision_for(context.protocol_version).has_log_level_per_request:
            return (context.meta or {}).get(LOG_LEVEL_META_KEY)
        session = _session_id(context)
        return self._by_session.get(session, _DEFAULT if session == "" else None)


def _session_id(context: RequestContext) -> str | None:
    """Return the id of the session over HTTP, empty without one; None over stdio, which is a single session."""
    request = context.request
    return request.headers.get(_SESSION_HEADER, "") if isinstance(request, Request) else None
