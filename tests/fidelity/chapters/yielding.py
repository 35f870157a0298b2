"""Streams and files, continued: endpoints that are generators, of which FastAPI makes the lines or the events.

Older releases of FastAPI refuse such endpoints, and have no `fastapi.sse`: there this module cannot be imported.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterable
from typing import Annotated, Any

from fastapi import Depends
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from tests.fidelity.chapters.streams import Few, chapter, resource
from tests.fidelity.journal import effect

__all__ = ["chapter"]

router, case = chapter.router, chapter.case


class Item(BaseModel):
    name: str
    price: float | None = None


@router.get("/yielding/lines")
async def yielded_lines(amount: Few = 2) -> AsyncIterable[Item]:
    for number in range(amount):
        effect(["yielded", number])
        yield Item(name=f"item {number}")


@router.get("/yielding/sync-lines")
def yielded_sync_lines() -> Iterable[Item]:
    yield Item(name="a", price=1)
    yield Item(name="é", price=0.5)


@router.get("/yielding/untyped-lines")
async def yielded_untyped_lines() -> AsyncIterable[Any]:
    yield {"a": 1}
    yield [None, "x"]


@router.get("/yielding/wrong-lines")
async def yielded_wrong_lines() -> AsyncIterable[Item]:
    yield Item(name="right")
    yield {"secret": "no name"}  # type: ignore[misc] # pyright: ignore[reportReturnType]


@router.get("/yielding/raw", response_class=StreamingResponse)
async def yielded_raw() -> AsyncIterable[str]:
    yield "one "
    yield "two"


@router.post("/yielding/posted")
async def yielded_posted(items: list[Item], held: Annotated[str, Depends(resource)]) -> AsyncIterable[Item]:
    for item in items:
        yield item


@router.get("/yielding/events", response_class=EventSourceResponse)
async def yielded_events(amount: Few = 2) -> AsyncIterable[Item]:
    for number in range(amount):
        yield Item(name=f"item {number}")


@router.get("/yielding/whole-events", response_class=EventSourceResponse)
async def yielded_whole_events() -> AsyncIterable[ServerSentEvent]:
    yield ServerSentEvent(data={"a": [1]}, event="made", id="1", retry=10)
    yield ServerSentEvent(raw_data="[DONE]", comment="no more")


@router.post("/yielding/chat", response_class=EventSourceResponse)
async def yielded_chat(item: Item) -> AsyncIterable[str]:
    for word in item.name.split():
        yield word


@router.get("/yielding/endless", response_class=EventSourceResponse)
async def yielded_endless() -> AsyncIterable[Item]:
    try:
        yield Item(name="first of an endless row")
        await asyncio.Event().wait()
    finally:
        effect("ended")


case("yield: lines", "yielded_lines", {"amount": 3}, "GET /yielding/lines")
case("yield: no lines", "yielded_lines", {"amount": 0}, "GET /yielding/lines")
case("yield: wrong argument", "yielded_lines", {"amount": "x"}, "GET /yielding/lines", blames=["amount"])
case("yield: lines from a thread", "yielded_sync_lines", {}, "GET /yielding/sync-lines")
case("yield: lines of anything", "yielded_untyped_lines", {}, "GET /yielding/untyped-lines")
case(
    "yield: a line that is not its model",
    "yielded_wrong_lines",
    {},
    "GET /yielding/wrong-lines",
    may_fail=True,
    breaks_promise=True,
)
case("yield: pieces", "yielded_raw", {}, "GET /yielding/raw")
ITEMS = [{"name": "a", "price": 1.5}, {"name": "b"}]
case("yield: of what was posted", "yielded_posted", {"items": ITEMS}, "POST /yielding/posted", json=ITEMS)
case("yield: events", "yielded_events", {"amount": 3}, "GET /yielding/events")
case("yield: no events", "yielded_events", {"amount": 0}, "GET /yielding/events")
case("yield: events in full", "yielded_whole_events", {}, "GET /yielding/whole-events")
case("yield: events of what was posted", "yielded_chat", {"name": "a b c"}, "POST /yielding/chat")
case("yield: events that never end", "yielded_endless", {}, "GET /yielding/endless", is_endless=True)
