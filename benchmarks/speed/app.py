"""The endpoints that are called; each server puts its own MCP in front of this one file.

``EXTRA_ENDPOINTS`` in the environment adds that many unused endpoints; ``MIDDLEWARE`` adds middleware.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Header
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["EXTRA", "Item", "Order", "add", "get_item", "get_mine", "list_items", "make_app", "place_order"]

EXTRA = int(os.environ.get("EXTRA_ENDPOINTS", "0"))
HAS_MIDDLEWARE = "MIDDLEWARE" in os.environ


class Maker(BaseModel):
    name: str
    country: str
    founded: int


class Item(BaseModel):
    """About 400 bytes as JSON."""

    id: int
    name: str
    description: str
    price: float
    tags: list[str]
    sizes: dict[str, int]
    maker: Maker
    discontinued: bool | None = None


class Line(BaseModel):
    sku: str
    name: str
    quantity: int
    price: float
    note: str | None = None


class Address(BaseModel):
    street: str
    city: str
    zip: str
    country: str


class Order(BaseModel):
    """About 3 kB as JSON, with twelve lines."""

    customer: str
    lines: list[Line]
    shipping: Address
    billing: Address
    comment: str | None = None


def make_item(number: int) -> Item:
    """Return an item; the same number gives the same item."""
    return Item(
        id=number,
        name=f"Item number {number}",
        description="A useful thing, described at some length so that the text looks like that of a shop. " * 2,
        price=number * 1.25,
        tags=["new", "sale", "garden"],
        sizes={"small": 3, "medium": number % 7, "large": 0},
        maker=Maker(name="Maker & Sons", country="NL", founded=1952),
    )


STOCK = [make_item(number) for number in range(500)]


async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def visitor(authorization: Annotated[str, Header()] = "nobody") -> str:
    return authorization


async def session() -> AsyncGenerator[str]:
    yield "session"


async def get_mine(
    item_id: int, who: Annotated[str, Depends(visitor)], opened: Annotated[str, Depends(session)]
) -> list[str]:
    """Return the caller and an item, like an endpoint with a user and a database session."""
    return [who, opened, STOCK[item_id].name]


async def get_item(item_id: int) -> list[Item]:
    """Return an item with its neighbors, about 1 kB."""
    return STOCK[item_id : item_id + 2]


async def list_items() -> list[Item]:
    """Return all items, about 200 kB."""
    return STOCK


async def place_order(order: Order) -> Order:
    """Accept an order and return it."""
    return order


async def wait(seconds: float = 1) -> float:
    """Wait."""
    await asyncio.sleep(seconds)  # noqa: TID251 - waiting is what it is for
    return seconds


class Timing:
    """Middleware that adds the duration of a response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                taken = f"total;dur={(time.perf_counter() - began) * 1e3:.3f}"
                message["headers"] = [*message["headers"], (b"server-timing", taken.encode())]
            await send(message)

        await self.app(scope, receive, timed)


def make_app() -> FastAPI:
    """Create the application."""
    app = FastAPI(title="Speed", version="1")
    if HAS_MIDDLEWARE:
        app.add_middleware(Timing)
    app.get("/add", operation_id="add")(add)
    app.get("/mine/{item_id}", operation_id="get_mine")(get_mine)
    app.get("/items/{item_id}", operation_id="get_item")(get_item)
    app.get("/items", operation_id="list_items")(list_items)
    app.post("/orders", operation_id="place_order")(place_order)
    app.get("/wait", operation_id="wait")(wait)
    for number in range(EXTRA):
        app.get(f"/extra/{number}", operation_id=f"extra_{number}")(_extra(number))
    return app


def _extra(number: int) -> Callable[..., Awaitable[Item]]:
    async def extra(count: int = 1, name: str = "nobody") -> Item:
        return STOCK[(number + count) % 500]

    return extra
