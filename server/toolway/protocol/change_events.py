"""Word of changes: what has changed, for whom, and how to say so.

Nothing piles up for whoever does not listen: of one change that comes twice, one is kept, so that there is never more
to say than there are things to hear of.
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
"""What is said of a list that has changed."""


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """A task stands otherwise than before."""

    number: str


Event: TypeAlias = ServerEvent | TaskChanged
"""Something that somebody can be told."""


class Subscription:
    """What somebody wants to hear of; a resource is told of under the URI that they know it by."""

    def __init__(self, lists: Iterable[str]) -> None:
        self._lists = {_LISTS[name] for name in lists}
        self._uris: dict[str, dict[str, None]] = {}

    @classmethod
    def everything(cls) -> Subscription:
        """All lists, and no resource yet."""
        return cls(_LISTS)

    @classmethod
    def by(cls, asked: SubscriptionFilter) -> Subscription:
        """Read what a client has asked for, as far as that can be."""
        flags = {
            "tools": asked.tools_list_changed,
            "prompts": asked.prompts_list_changed,
            "resources": asked.resources_list_changed,
        }
        wanted = cls(name for name, flag in flags.items() if flag)
        for uri in asked.resource_subscriptions or ():
            wanted.add(uri)
        return wanted

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

    def of(self, event: Event) -> Sequence[Event]:
        """Return what there is to say of an event, if anything."""
        if isinstance(event, TaskChanged):  # comes only to those who want it
            return [event]
        if not isinstance(event, ResourceUpdated):
            return [event] if event in self._lists else []
        return [ResourceUpdated(uri) for uri in self._uris.get(canonical(event.uri) or event.uri, ())]


class EventQueue:
    """What is still to be said to somebody, each thing once, in the order in which it came up."""

    def __init__(self, wanted: Subscription) -> None:
        self.wanted = wanted
        self._events: dict[Event, None] = {}
        self._news = anyio.Event()
        self._is_over = False

    def put(self, event: Event) -> None:
        for entry in self.wanted.of(event):
            self._events[entry] = None
            self._news.set()

    def close(self) -> None:
        """Let what is still there be said, and then no more."""
        self._is_over = True
        self._news.set()

    async def next(self) -> Event | None:
        """Wait for something to say; None at the end."""
        while not self._events and not self._is_over:
            await self._news.wait()
            self._news = anyio.Event()
        if not self._events:
            return None
        event = next(iter(self._events))
        del self._events[event]
        return event


class Publisher:
    """Says on a bus what has changed, from any thread; belongs to the event loop in which it is made."""

    def __init__(self, bus: SubscriptionBus) -> None:
        self._bus = bus
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def changed(self, uris: Iterable[str], lists: Iterable[str]) -> None:
        """Send word of changed resources and lists (``tools``, ``prompts``, ``resources``) on its way."""
        for event in (*map(ResourceUpdated, uris), *(_LISTS[name] for name in lists)):
            self._loop.call_soon_threadsafe(self._start, event)

    def _start(self, event: ServerEvent) -> None:
        task = self._loop.create_task(self._publish(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish(self, event: ServerEvent) -> None:
        try:
            await self._bus.publish(event)
        except Exception:  # the bus may be anybody's, and reach over a network
            logger.exception("%r could not be published", event)
