"""``subscriptions/listen``: a stream of change notifications, since MCP 2026-07-28.

https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions

It replaces the SDK's handler, which acknowledges unknown resources, queues events without a limit for slow clients, and
compares URIs as plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, cast

import anyio
from mcp.server.lowlevel import Server
from mcp.server.subscriptions import SUBSCRIPTION_ID_META_KEY, SubscriptionBus
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import event_to_notification
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    SubscriptionFilter,
    SubscriptionsAcknowledgedNotification,
    SubscriptionsAcknowledgedNotificationParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
)

from toolway.protocol.change_events import Event, EventQueue, Subscription, TaskChanged
from toolway.protocol.requests import RequestContext

__all__ = ["MAX_RESOURCES", "HasResource", "SubscriptionStreams", "TaskEvents"]

MAX_RESOURCES = 1000
"""The limit of resources per subscriber."""
_MAX_TASKS = 100
_CLOSING_SECONDS = 1.0
_TASKS = "taskIds"

HasResource = Callable[[str], bool]


class TaskEvents(Protocol):
    """The source of notifications about tasks."""

    async def filter_own(self, context: RequestContext, task_ids: Sequence[str]) -> list[str]:
        """Return the ids of the caller's own tasks among some ids."""
        ...

    def watch(self, task_ids: Collection[str], notify: Callable[[TaskChanged], None]) -> AbstractContextManager[None]:
        """Notify of each of these tasks once, and after every change."""
        ...

    async def build_notification(self, context: RequestContext, task_id: str, meta: dict[str, Any]) -> Any:
        """Return a notification with the state of a task; None if it no longer exists."""
        ...


class SubscriptionStreams:
    """The handler of ``subscriptions/listen``.

    Args:
        server: the server; only lists that it serves can be subscribed to.
        bus: publishes the change events.
        has_resource: returns whether a URI is that of a resource.
        max_streams: the limit of open streams.
    """

    def __init__(self, server: Server[Any], bus: SubscriptionBus, has_resource: HasResource, max_streams: int) -> None:
        self._server = server
        self._bus = bus
        self._has_resource = has_resource
        self._max_streams = max_streams
        self.tasks: TaskEvents | None = None
        self._open: set[EventQueue] = set()
        self._all_closed = anyio.Event()
        self._is_shutting_down = False

    async def __call__(
        self, context: RequestContext, params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Send notifications until the client disconnects or the server shuts down."""
        accepted = await self._select_available(context, params.notifications)
        if len(self._open) >= self._max_streams:
            raise MCPError(INTERNAL_ERROR, f"Subscription limit ({self._max_streams}) reached; try again later")
        stream_id = context.request_id
        meta: dict[str, Any] = {SUBSCRIPTION_ID_META_KEY: stream_id}
        queue = EventQueue(Subscription.from_filter(accepted))
        unsubscribe = self._bus.subscribe(queue.put)  # before the acknowledgment, so that no event is lost
        self._open.add(queue)
        if self._is_shutting_down:
            queue.close()
        try:
            with self._watch_tasks(accepted, queue):
                acknowledgment = SubscriptionsAcknowledgedNotification(
                    params=SubscriptionsAcknowledgedNotificationParams(notifications=accepted, _meta=meta)
                )
                await context.session.send_notification(acknowledgment, stream_id)
                while event := await queue.next():
                    if (notification := await self._notification(context, event, meta)) is not None:
                        await context.session.send_notification(notification, stream_id)
        finally:
            unsubscribe()
            self._open.discard(queue)
            if not self._open:
                self._all_closed.set()
        return SubscriptionsListenResult(_meta=meta)

    def _watch_tasks(self, accepted: SubscriptionFilter, queue: EventQueue) -> AbstractContextManager[None]:
        tasks = _read_task_ids(accepted)
        return self.tasks.watch(tasks, queue.put) if self.tasks is not None and tasks else nullcontext()

    async def _notification(self, context: RequestContext, event: Event, meta: dict[str, Any]) -> Any:
        if not isinstance(event, TaskChanged):
            return event_to_notification(event, meta)
        return await self.tasks.build_notification(context, event.id, meta) if self.tasks is not None else None

    async def _select_available(self, context: RequestContext, asked: SubscriptionFilter) -> SubscriptionFilter:
        """Return the part of a filter that can be served: known lists and resources, and tasks of the caller."""
        uris = _unique(asked.resource_subscriptions or (), MAX_RESOURCES, "resource URIs")
        tasks = _unique(_read_task_ids(asked), _MAX_TASKS, _TASKS)
        own = await self.tasks.filter_own(context, tasks) if self.tasks is not None and tasks else []
        return SubscriptionFilter(
            tools_list_changed=asked.tools_list_changed or None,
            prompts_list_changed=(asked.prompts_list_changed and self._has("prompts/list")) or None,
            resources_list_changed=(asked.resources_list_changed and self._has("resources/list")) or None,
            resource_subscriptions=[uri for uri in uris if self._has_resource(uri)] or None,
            **({_TASKS: own} if own else {}),
        )

    def _has(self, method: str) -> bool:
        return self._server.get_request_handler(method) is not None

    def begin_shutdown(self) -> None:
        """End every stream with its result, and each new one at once."""
        self._is_shutting_down = True
        for queue in self._open:
            queue.close()

    async def close(self) -> None:
        """End every stream, and wait until the results have been sent."""
        self._all_closed = anyio.Event()
        self.begin_shutdown()
        with anyio.move_on_after(_CLOSING_SECONDS):  # a client that no longer reads cannot receive one
            if self._open:
                await self._all_closed.wait()


def _read_task_ids(asked: SubscriptionFilter) -> list[str]:
    """Return the task ids in a filter, a member that the tasks extension adds."""
    given: object = (asked.model_extra or {}).get(_TASKS) or []
    entries = cast("list[object]", given) if isinstance(given, list) else [None]
    texts = [entry for entry in entries if isinstance(entry, str)]
    if len(texts) < len(entries):
        raise MCPError(INVALID_PARAMS, f"Expected {_TASKS} to be a list of task ids, got {given!r:.100}")
    return texts


def _unique(entries: Iterable[str], limit: int, what: str) -> list[str]:
    found = list(dict.fromkeys(entries))
    if len(found) > limit:
        raise MCPError(INVALID_PARAMS, f"Expected at most {limit} {what}, got {len(found):,}")
    return found
