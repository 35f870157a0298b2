"""A shop whose tools programs call, and the way to run a program in it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from toolway import Ask, Hints, Progress, Settings, Toolway, agent_tool
from toolway.app import engine_of
from toolway.calls import CallContext, Outcome
from toolway.code_mode import code_tool
from toolway.elicitation import Answer, ReplayChannel
from toolway.engine import Running

__all__ = ["Order", "Programs", "Reason", "make_code_server", "make_shop", "running_programs", "text_of"]


class Order(BaseModel):
    order_id: str
    customer: str
    status: Literal["pending", "shipped"]
    total: float
    note: str | None = None


class Reason(BaseModel):
    reason: str


def _order(number: int) -> Order:
    return Order(
        order_id=f"o{number}",
        customer=f"c{number % 5}",
        status="shipped" if number % 2 else "pending",
        total=number * 1.5,
    )


_ORDERS = {f"o{number}": _order(number) for number in range(50)}


def make_shop() -> FastAPI:
    """Return a shop; ``app.state.effects`` lists what was changed, and ``app.state.running`` counts slow calls."""
    app = FastAPI(title="Shop")
    app.state.effects, app.state.running, app.state.slow = [], 0, asyncio.Event()
    app.state.stopped = threading.Event()
    _add_reading(app)
    _add_changing(app)
    return app


def _add_reading(app: FastAPI) -> None:
    @app.get("/orders", operation_id="list_orders")
    async def list_orders(limit: int = 10, status: Literal["pending", "shipped"] | None = None) -> list[Order]:
        return [order for order in _ORDERS.values() if status in {None, order.status}][:limit]

    @app.get("/orders/{order_id}", operation_id="get_order")
    async def get_order(order_id: str) -> Order:
        if order_id not in _ORDERS:
            raise HTTPException(404, f"There is no order {order_id!r}")
        return _ORDERS[order_id]

    @app.get("/wait", operation_id="wait_for_others")
    async def wait_for_others(calls: int) -> int:
        """Return once so many calls run at the same time."""
        app.state.running += 1
        if app.state.running >= calls:
            app.state.slow.set()
        try:
            await app.state.slow.wait()
        finally:
            app.state.running -= 1
            app.state.stopped.set()
        return calls

    @app.get("/export", operation_id="export")
    async def export(progress: Progress) -> str:
        await progress(1, total=2, message="half")
        return "exported"

    @app.get("/greet", operation_id="greet")
    async def greet(ask: Ask) -> str:
        return f"Hello {(await ask('Your name?', Reason)).reason}"


def _add_changing(app: FastAPI) -> None:
    effects: list[str] = app.state.effects

    @app.post("/orders/{order_id}/note", operation_id="add_note")
    async def add_note(order_id: str, note: Reason) -> Order:
        effects.append(f"note {order_id}")
        return _ORDERS[order_id].model_copy(update={"note": note.reason})

    @app.post("/orders/{order_id}/cancel", operation_id="cancel_order")
    @agent_tool(confirm="Cancel order {order_id}?")
    async def cancel_order(order_id: str) -> Order:
        effects.append(f"cancel {order_id}")
        return _ORDERS[order_id]

    @app.delete("/orders/{order_id}", operation_id="delete_order", status_code=204)
    async def delete_order(order_id: str) -> None:
        effects.append(f"delete {order_id}")

    @app.post("/purge", operation_id="purge")
    @agent_tool(hints=Hints(destructive=True))
    async def purge() -> str:
        effects.append("purge")
        return "purged"


def text_of(outcome: Outcome) -> str:
    """Return the text that an agent reads."""
    return "\n".join(getattr(block, "text", "") for block in outcome.content)


class Programs:
    """Runs programs on one application."""

    def __init__(self, app: FastAPI, running: Running) -> None:
        self.app = app
        self.effects: list[str] = app.state.effects
        self.calls = running.calls
        self.tool = code_tool(allows_changes=True)

    async def run(self, code: str, **context: Any) -> Outcome:
        """Run a program once; without a channel, its user cannot be asked."""
        return await self.calls.perform(self.tool, {"code": code}, CallContext(**context))

    async def value(self, code: str) -> str:
        """Return the text of a program that succeeds."""
        outcome = await self.run(code)
        assert not outcome.is_error, text_of(outcome)
        return text_of(outcome)

    async def failure(self, code: str) -> str:
        """Return the text of a program that fails."""
        outcome = await self.run(code)
        assert outcome.is_error, text_of(outcome)
        return text_of(outcome)

    async def converse(self, code: str, answers: Sequence[Mapping[str, Answer]]) -> tuple[Outcome, list[str]]:
        """Run a program whose user is asked by ending the call; return its outcome and the questions.

        Each entry of `answers` answers one round, by the text of the question.
        """
        asked: list[str] = []
        channel = ReplayChannel(("elicitation",))
        for given in answers:
            outcome = await self.run(code, asking=channel)
            if not channel.pending:
                return outcome, asked
            asked += sorted(query.message for query in channel.pending.values())
            replies = {key: given[query.message] for key, query in channel.pending.items() if query.message in given}
            channel = ReplayChannel(("elicitation",), channel.state(), replies)
        outcome = await self.run(code, asking=channel)
        return outcome, asked


@asynccontextmanager
async def running_programs(
    app: FastAPI | None = None, hooks: Sequence[object] = (), **settings: Any
) -> AsyncGenerator[Programs]:
    """Start the shop with these settings of code mode."""
    app = app or make_shop()
    toolway = Toolway(app, settings=Settings(**{"code_tools": "all", **settings}), hooks=hooks)
    async with engine_of(toolway).run() as running:
        yield Programs(app, running)


def make_code_server() -> FastAPI:
    """Return the shop with MCP mounted, for a server in a process of its own."""
    app = make_shop()
    Toolway(app, catalog="code", settings=Settings(code_tools="all")).mount()

    @app.get("/process", operation_id="process")
    async def process() -> int:
        return os.getpid()

    return app
