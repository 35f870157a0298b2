"""Word of changes for sessions of handshake revisions: ``resources/subscribe``, and ``list_changed`` for everybody.

https://modelcontextprotocol.io/specification/2025-11-25/server/resources#subscriptions
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.session import ServerSession
from mcp.server.subscriptions import SubscriptionBus
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import event_to_notification
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    NotificationParams,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)

from toolway.protocol.change_events import EventQueue, Subscription, TaskChanged
from toolway.protocol.context import Context
from toolway.protocol.errors import unknown_resource
from toolway.protocol.handlers.subscriptions import MOST_URIS, Serves
from toolway.protocol.versions import revision_for

__all__ = ["Sessions"]


class Sessions:
    """Tells open sessions of changes, each in a task of its own, so that none waits for another.

    Args:
        bus: tells of changes.
        serves: tells whether a URI leads to a resource.
    """

    def __init__(self, bus: SubscriptionBus, serves: Serves) -> None:
        self._bus = bus
        self._serves = serves
        self._open: dict[Connection, EventQueue] = {}

    def serve(self, server: Server[Any]) -> None:
        """Take subscriptions of sessions; only where there are any, on stdio and over HTTP with the setting."""
        server.add_notification_handler("notifications/initialized", NotificationParams, self._begin)
        server.add_request_handler("resources/subscribe", SubscribeRequestParams, self._subscribe)
        server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)

    def __len__(self) -> int:
        return len(self._open)

    async def _begin(self, context: Context, _: NotificationParams) -> None:
        self._pending(context)

    async def _subscribe(self, context: Context, params: SubscribeRequestParams) -> EmptyResult:
        if not self._serves(params.uri):
            raise unknown_resource(params.uri, revision_for(context.protocol_version))
        wanted = self._pending(context).wanted
        if len(wanted) >= MOST_URIS:
            raise MCPError(INVALID_PARAMS, f"{MOST_URIS} resources are watched already; unsubscribe from some")
        wanted.add(params.uri)
        return EmptyResult()

    async def _unsubscribe(self, context: Context, params: UnsubscribeRequestParams) -> EmptyResult:
        self._pending(context).wanted.remove(params.uri)
        return EmptyResult()

    def _pending(self, context: Context) -> EventQueue:
        """What is to be said in a session; it is told of changes from the first time on until it ends."""
        connection = _connection(context.session)
        pending = self._open.get(connection)
        if pending is None:
            pending = self._open[connection] = EventQueue(Subscription.everything())
            task = asyncio.get_running_loop().create_task(_tell(connection, pending))
            connection.exit_stack.callback(self._end, connection, task, self._bus.subscribe(pending.put))
        return pending

    def _end(self, connection: Connection, task: asyncio.Task[None], unsubscribe: Callable[[], None]) -> None:
        unsubscribe()
        task.cancel()
        self._open.pop(connection, None)


async def _tell(connection: Connection, pending: EventQueue) -> None:
    while event := await pending.next():
        if isinstance(event, TaskChanged):  # sessions know of no tasks, and do not ask for any
            continue
        frame = event_to_notification(event, {}).model_dump(by_alias=True, mode="json", exclude_none=True)
        await connection.notify(frame["method"], frame.get("params"))


def _connection(session: ServerSession) -> Connection:
    """The connection behind a request: it outlives the request, and handlers are not shown it otherwise."""
    return session._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
