"""Messages of endpoints to the logs of clients (deprecated in 2026-07-28), where the client asked for them.

From 2026-07-28 on each request says from which level on; before that a session says it once, with ``logging/setLevel``.
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
from toolway.protocol.context import Context
from toolway.protocol.versions import revision_for

__all__ = ["LogLevels"]

_MOST_SESSIONS = 10_000
_SESSION_HEADER = "mcp-session-id"
_USUAL = "info"
"""The level for clients without a session, who cannot say one that would last: then it is for the server to decide
(https://modelcontextprotocol.io/specification/2025-11-25/server/utilities/logging)."""


class LogLevels:
    """Knows from which level on each client wants messages."""

    def __init__(self) -> None:
        self._by_session: OrderedDict[str | None, str] = OrderedDict()

    def offer(self, server: Server[Any], tools: Collection[Tool]) -> None:
        """Let clients set their level, where any tool has messages."""
        if any(may_log(tool) for tool in tools):
            server.add_request_handler("logging/setLevel", SetLevelRequestParams, self._set)

    async def _set(self, context: Context, params: SetLevelRequestParams) -> EmptyResult:
        session = _session(context)
        if session == "":  # a request that stands for itself: there is nobody to remember it for
            return EmptyResult()
        self._by_session[session] = params.level
        self._by_session.move_to_end(session)
        if len(self._by_session) > _MOST_SESSIONS:
            self._by_session.popitem(last=False)
        return EmptyResult()

    def say(self, context: Context) -> LogCallback | None:
        """Return the way to send messages on a request's own stream; None where its client wants none."""
        least = self._least(context)
        if least not in LEVELS:
            return None
        wanted = LEVELS[LEVELS.index(least) :]

        async def say(level: str, data: Any, name: str | None) -> None:
            if level in wanted:
                params = LoggingMessageNotificationParams(level=cast("Any", level), data=data, logger=name)
                notification = LoggingMessageNotification(params=params)
                await context.session.send_notification(notification, related_request_id=context.request_id)

        return say

    def _least(self, context: Context) -> Any:
        if revision_for(context.protocol_version).has_log_level_per_request:
            return (context.meta or {}).get(LOG_LEVEL_META_KEY)
        session = _session(context)
        return self._by_session.get(session, _USUAL if session == "" else None)


def _session(context: Context) -> str | None:
    """The id of the session over HTTP; over stdio there is only one."""
    request = context.request
    return request.headers.get(_SESSION_HEADER, "") if isinstance(request, Request) else None
