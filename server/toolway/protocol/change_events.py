"""Events about changes, and their queues.

A queue holds each event once, so that it never grows beyond the number of subscribed lists, resources and tasks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import anyio
from mcp.server.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    SubscriptionBus,
    ToolsListChanged,
)
from mcp_types import SubscriptionFilter

from toolway.protocol.uris import canonical

__all__ = ["Event", "EventQueue", "Publisher", "Subscription", "TaskChanged"]

logger = logging.getLogger("toolway.protocol")

_LISTS: dict[str, ServerEvent] = {
    "tools": ToolsListChanged(),
    "prompts": PromptsListChanged(),
    "resources": ResourcesListChanged(),
}
"""The event for a changed list, by the name of the list."""


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """The state of a task has changed."""

    id: str


Event: TypeAlias = ServerEvent | TaskChanged


class Subscription:
    """The lists and resources that a client has subscribed to; events carry the client's own spelling of a URI."""

    def __init__(self, lists: Iterable[str]) -> None:
        self._lists = {_LISTS[name] for name in lists}
        self._uris: dict[str, dict[str, None]] = {}

    @classmethod
    def all_lists(cls) -> Subscription:
        """Subscribe to all lists, and no resource yet."""
        return cls(_LISTS)

    @classmethod
    def from_filter(cls, asked: SubscriptionFilter) -> Subscription:
        """Subscribe to the lists and resources of a filter."""
        flags = {
            "tools": asked.tools_list_changed,
            "prompts": asked.prompts_list_changed,
            "resources": asked.resources_list_changed,
        }
        subscription = cls(name for name, flag in flags.items() if flag)
        for uri in asked.resource_subscriptions or ():
            subscription.add(uri)
        return subscription

    def add(self, uri: str) -> None:
        self._uris.setdefault(canonical(uri) or uri, {})[uri] = None

    def remove(self, uri: str) -> None:
        known = canonical(uri) or uri
        spellings = self._uris.get(known, {})
        spellings.pop(uri, None)
        if not spellings:
            self._uris.pop(known, None)

    def __len__(self) -> int:
        return sum(map(len, self._uris.values()))

    def match(self, event: Event) -> Sequence[Event]:
        """Return the events to send for an event, one for each spelling of a URI."""
        if isinstance(event, TaskChanged):  # published only to its subscribers
            return [event]
        if not isinstance(event, ResourceUpdated):
            return [event] if event in self._lists else []
        return [ResourceUpdated(uri) for uri in self._uris.get(canonical(event.uri) or event.uri, ())]


class EventQueue:
    """The events still to be sent to a client, each one once, in the order of their arrival."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self._events: dict[Event, None] = {}
        self._has_changed = anyio.Event()
        self._is_closed = False

    def put(self, event: Event) -> None:
        for entry in self.subscription.match(event):
            self._events[entry] = None
            self._has_changed.set()

    def close(self) -> None:
        """Accept no more events; those in the queue can still be taken."""
        self._is_closed = True
        self._has_changed.set()

    async def next(self) -> Event | None:
        """Wait for the next event; return None once the queue is closed and empty."""
        while not self._events and not self._is_closed:
            await self._has_changed.wait()
            self._has_changed = anyio.Event()
        if not self._events:
            return None
        event = next(iter(self._events))
        del self._events[event]
        return event


class Publisher:
    """Publishes changes on a bus, from any thread; must be created in the event loop of the bus."""

    def __init__(self, bus: SubscriptionBus) -> None:
        self._bus = bus
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def publish(self, uris: Iterable[str], lists: Iterable[str]) -> None:
        """Publish that resources and lists (``tools``, ``prompts``, ``resources``) have changed, without waiting."""
        for event in (*map(ResourceUpdated, uris), *(_LISTS[name] for name in lists)):
            self._loop.call_soon_threadsafe(self._start, event)

    def _start(self, event: ServerEvent) -> None:
        task = self._loop.create_task(self._send(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, event: ServerEvent) -> None:
        try:
            await self._bus.publish(event)
        except Exception:  # a custom bus may use the network
            logger.exception("could not publish %r on the bus", event)
