"""Change notifications for sessions of MCP 2024-11-05 to 2025-11-25: ``resources/subscribe``, and ``list_changed``.

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
from toolway.protocol.handlers.subscriptions import MAX_RESOURCES, HasResource
from toolway.protocol.requests import RequestContext
from toolway.protocol.results import resource_not_found
from toolway.protocol.versions import revision_for

__all__ = ["LegacySubscriptions"]


class LegacySubscriptions:
    """Notifies open sessions of changes, each in a task of its own, so that a slow client does not delay the others.

    Args:
        bus: publishes the change events.
        has_resource: returns whether a URI is that of a resource.
    """

    def __init__(self, bus: SubscriptionBus, has_resource: HasResource) -> None:
        self._bus = bus
        self._has_resource = has_resource
        self._open: dict[Connection, EventQueue] = {}

    def register(self, server: Server[Any]) -> None:
        """Serve the methods for subscriptions of sessions."""
        server.add_notification_handler("notifications/initialized", NotificationParams, self._start)
        server.add_request_handler("resources/subscribe", SubscribeRequestParams, self._subscribe)
        server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)

    def __len__(self) -> int:
        return len(self._open)

    async def _start(self, context: RequestContext, _: NotificationParams) -> None:
        self._queue(context)

    async def _subscribe(self, context: RequestContext, params: SubscribeRequestParams) -> EmptyResult:
        if not self._has_resource(params.uri):
            raise resource_not_found(params.uri, revision_for(context.protocol_version))
        subscription = self._queue(context).subscription
        if len(subscription) >= MAX_RESOURCES:
            raise MCPError(
                INVALID_PARAMS, f"Limit of {MAX_RESOURCES} subscriptions reached; unsubscribe from some first"
            )
        subscription.add(params.uri)
        return EmptyResult()

    async def _unsubscribe(self, context: RequestContext, params: UnsubscribeRequestParams) -> EmptyResult:
        self._queue(context).subscription.remove(params.uri)
        return EmptyResult()

    def _queue(self, context: RequestContext) -> EventQueue:
        """Return the event queue of a session, and start its notifications on the first call."""
        connection = _connection(context.session)
        queue = self._open.get(connection)
        if queue is None:
            queue = self._open[connection] = EventQueue(Subscription.all_lists())
            task = asyncio.get_running_loop().create_task(_notify(connection, queue))
            connection.exit_stack.callback(self._end, connection, task, self._bus.subscribe(queue.put))
        return queue

    def _end(self, connection: Connection, task: asyncio.Task[None], unsubscribe: Callable[[], None]) -> None:
        unsubscribe()
        task.cancel()
        self._open.pop(connection, None)


async def _notify(connection: Connection, queue: EventQueue) -> None:
    while event := await queue.next():
        if isinstance(event, TaskChanged):  # a type check only: sessions cannot subscribe to tasks
            continue
        frame = event_to_notification(event, {}).model_dump(by_alias=True, mode="json", exclude_none=True)
        await connection.notify(frame["method"], frame.get("params"))


def _connection(session: ServerSession) -> Connection:
    """Return the connection of a session, which outlives the request; the SDK has no public way to get it."""
    return session._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
