"""``subscriptions/listen``: a stream of changes, from 2026-07-28 on.

https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions

The SDK's own handler acknowledges whatever it is asked for, keeps every event for whoever reads slowly, and does not
know that a URI has several spellings.
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
from toolway.protocol.context import Context

__all__ = ["MOST_URIS", "Serves", "SubscriptionStreams", "TaskEvents"]

MOST_URIS = 1000
"""So many resources may be watched at once by one subscriber."""
_MOST_TASKS = 100
_CLOSING_SECONDS = 1.0
_TASKS = "taskIds"

Serves = Callable[[str], bool]


class TaskEvents(Protocol):
    """The source of notifications about tasks."""

    async def filter_own(self, context: Context, task_ids: Sequence[str]) -> list[str]:
        """Return the ids of the caller's own tasks among some ids."""
        ...

    def watch(self, task_ids: Collection[str], notify: Callable[[TaskChanged], None]) -> AbstractContextManager[None]:
        """Notify of each of these tasks once, and after every change."""
        ...

    async def build_notification(self, context: Context, task_id: str, meta: dict[str, Any]) -> Any:
        """Return a notification with the state of a task; None if it no longer exists."""
        ...


class SubscriptionStreams:
    """Serves streams of changes.

    Args:
        server: what it has handlers for can change.
        bus: tells of changes.
        serves: tells whether a URI leads to a resource.
        most: so many streams may be open at once; further ones are refused.
    """

    def __init__(self, server: Server[Any], bus: SubscriptionBus, serves: Serves, most: int) -> None:
        self._server = server
        self._bus = bus
        self._serves = serves
        self._most = most
        self.tasks: TaskEvents | None = None
        """Where there are any."""
        self._open: set[EventQueue] = set()
        self._emptied = anyio.Event()
        self._is_ending = False

    async def __call__(self, context: Context, params: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
        """Tell of changes until the client has had enough, or the server ends."""
        kept = await self._kept(context, params.notifications)
        if len(self._open) >= self._most:
            raise MCPError(INTERNAL_ERROR, f"{self._most} subscriptions are open already; come back later")
        number = context.request_id
        meta: dict[str, Any] = {SUBSCRIPTION_ID_META_KEY: number}
        pending = EventQueue(Subscription.by(kept))
        unsubscribe = self._bus.subscribe(pending.put)  # before the acknowledgement, so that nothing falls between
        self._open.add(pending)
        if self._is_ending:
            pending.close()
        try:
            with self._watching(kept, pending):
                hello = SubscriptionsAcknowledgedNotificationParams(notifications=kept, _meta=meta)
                await context.session.send_notification(SubscriptionsAcknowledgedNotification(params=hello), number)
                while event := await pending.next():
                    if (notification := await self._written(context, event, meta)) is not None:
                        await context.session.send_notification(notification, number)
        finally:
            unsubscribe()
            self._open.discard(pending)
            if not self._open:
                self._emptied.set()
        return SubscriptionsListenResult(_meta=meta)

    def _watching(self, kept: SubscriptionFilter, pending: EventQueue) -> AbstractContextManager[None]:
        tasks = _tasks_of(kept)
        return self.tasks.watch(tasks, pending.put) if self.tasks is not None and tasks else nullcontext()

    async def _written(self, context: Context, event: Event, meta: dict[str, Any]) -> Any:
        if not isinstance(event, TaskChanged):
            return event_to_notification(event, meta)
        return await self.tasks.build_notification(context, event.number, meta) if self.tasks is not None else None

    async def _kept(self, context: Context, asked: SubscriptionFilter) -> SubscriptionFilter:
        """Return what of it can happen here: lists that there are, what can be read, tasks of the caller's."""
        uris = _limited(asked.resource_subscriptions or (), MOST_URIS, "resource URIs")
        tasks = _limited(_tasks_of(asked), _MOST_TASKS, _TASKS)
        own = await self.tasks.filter_own(context, tasks) if self.tasks is not None and tasks else []
        return SubscriptionFilter(
            tools_list_changed=asked.tools_list_changed or None,
            prompts_list_changed=(asked.prompts_list_changed and self._has("prompts/list")) or None,
            resources_list_changed=(asked.resources_list_changed and self._has("resources/list")) or None,
            resource_subscriptions=[uri for uri in uris if self._serves(uri)] or None,
            **({_TASKS: own} if own else {}),
        )

    def _has(self, method: str) -> bool:
        return self._server.get_request_handler(method) is not None

    def end(self) -> None:
        """End every stream with its result, and those that are opened from now on."""
        self._is_ending = True
        for pending in self._open:
            pending.close()

    async def close(self) -> None:
        """End every stream, and wait until the clients have been told."""
        self._emptied = anyio.Event()
        self.end()
        with anyio.move_on_after(_CLOSING_SECONDS):  # a client that reads no more cannot be told
            if self._open:
                await self._emptied.wait()


def _tasks_of(asked: SubscriptionFilter) -> list[str]:
    """Read the ids of tasks, which the extension for tasks adds to what can be asked for."""
    given: object = (asked.model_extra or {}).get(_TASKS) or []
    entries = cast("list[object]", given) if isinstance(given, list) else [None]
    texts = [entry for entry in entries if isinstance(entry, str)]
    if len(texts) < len(entries):
        raise MCPError(INVALID_PARAMS, f"expected {_TASKS} to be a list of ids of tasks")
    return texts


def _limited(entries: Iterable[str], most: int, what: str) -> list[str]:
    found = list(dict.fromkeys(entries))
    if len(found) > most:
        raise MCPError(INVALID_PARAMS, f"expected {most} {what} at most, got {len(found):,}")
    return found
