"""``python -m benchmarks.agents.code_mode``: what programs cost, and what attacks on the sandbox give.

It prints the page `benchmarks/agents/CODE_MODE.md`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from fastapi import FastAPI
from mcp_types import CallToolResult
from pydantic import BaseModel

from benchmarks.agents.attacks import ATTACKS
from toolway import Settings, Toolway, agent_tool
from toolway.app import engine_of
from toolway.calls import CallContext, Outcome
from toolway.code_mode import RUN_CODE
from toolway.elicitation import Answer, ReplayChannel
from toolway.engine import Running
from toolway.testing import MCPTestClient

__all__ = ["compare_round_trips", "main", "measure_inner_calls", "measure_programs", "try_attacks"]

ORDERS = 50
CALLS = 400
ROUNDS = 15
PROGRAM = """
import asyncio
from tools import get_order, list_orders
orders = await list_orders(limit=50)
details = await asyncio.gather(*[get_order(order["order_id"]) for order in orders])
round(sum(line["price"] * line["quantity"] for order in details for line in order["lines"]), 2)
"""
ONE_BY_ONE = "from tools import get_order\nfor _ in range({}):\n    await get_order('o1')"
AT_ONCE = """
import asyncio
from tools import get_order
orders = await asyncio.gather(*[get_order("o1") for _ in range({})])
"""
CONFIRMED = "from tools import cancel_order\norder = await cancel_order('o1')\norder['status']"


class Line(BaseModel):
    sku: str
    name: str
    quantity: int
    price: float


class OrderSummary(BaseModel):
    order_id: str
    customer: str
    status: str


class Order(OrderSummary):
    address: str
    lines: list[Line]
    note: str | None = None


def make_order(number: int) -> Order:
    """Return a made-up order, about 500 bytes as JSON."""
    lines = [
        Line(sku=f"S{number}{at}", name=f"Article {at} of order {number}", quantity=at + 1, price=9.5 + number)
        for at in range(4)
    ]
    address = f"{number} Long Street, Apartment {number + 7}, 8{number:04} Springfield"
    return Order(
        order_id=f"o{number}",
        customer=f"c{number % 9}",
        status="pending",
        address=address,
        lines=lines,
        note="Ring twice",
    )


def make_app(tools: int) -> FastAPI:
    """Return an application with so many tools, three of which are used."""
    app = FastAPI(title="Shop")
    orders = {order.order_id: order for order in map(make_order, range(ORDERS))}

    @app.get("/orders", operation_id="list_orders")
    async def list_orders(limit: int = 10) -> list[OrderSummary]:
        """List orders, the newest first."""
        return [OrderSummary.model_validate(order.model_dump()) for order in list(orders.values())[:limit]]

    @app.get("/orders/{order_id}", operation_id="get_order")
    async def get_order(order_id: str) -> Order:
        """Get one order with its lines."""
        return orders[order_id]

    @app.post("/orders/{order_id}/cancel", operation_id="cancel_order")
    @agent_tool(confirm="Cancel order {order_id}?")
    async def cancel_order(order_id: str) -> Order:
        """Cancel an order."""
        return orders[order_id]

    for number in range(tools - 3):
        app.add_api_route(f"/things/{number}/{{thing_id}}", get_order_like, operation_id=f"get_thing_{number}")
    return app


async def get_order_like(thing_id: str) -> Order:
    """Get a thing."""
    return make_order(len(thing_id))


async def compare_round_trips() -> str:
    """Return a table: 50 orders listed, fetched and added up, call by call and by one program."""
    async with MCPTestClient(Toolway(make_app(10), settings=Settings())) as client:
        results = [await _call(client, "list_orders", {"limit": ORDERS})]
        results += [await _call(client, "get_order", {"order_id": f"o{number}"}) for number in range(ORDERS)]
    async with MCPTestClient(Toolway(make_app(10), catalog="code")) as client:
        search = await _call(client, "search_tools", {"query": "orders", "limit": 3})
        by_program = await _call(client, RUN_CODE, {"code": PROGRAM})
    one_by_one = sum(results)
    return "\n".join(
        [
            "| | calls of the model | tokens: calls and their results |",
            "|---|--:|--:|",
            f"| one call after another | {len(results)} | {one_by_one:,} |",
            f"| one program | 1 | {by_program:,} ({by_program / one_by_one:.1%}) |",
            f"| a search, then the program | 2 | {search + by_program:,} ({(search + by_program) / one_by_one:.1%}) |",
        ]
    )


async def _call(client: MCPTestClient, name: str, arguments: dict[str, Any]) -> int:
    """Call a tool; return the tokens of the call and of the text in its result, at four bytes per token."""
    result: CallToolResult = await client.call_tool(name, arguments)
    assert not result.is_error, result
    text = "".join(getattr(block, "text", "") for block in result.content)
    return (len(json.dumps({"name": name, "arguments": arguments})) + len(text)) // 4


async def measure_inner_calls() -> str:
    """Return a table: what a call inside a program takes more than the same call by its name."""
    rows = [
        "| tools | call by name | in a program, one after another | in a program, with gather |",
        "|--:|--:|--:|--:|",
    ]
    for tools in (10, 1000):
        toolway = Toolway(make_app(tools), settings=Settings(code_calls=2 * CALLS, code_tools="all"))
        async with engine_of(toolway).run() as running:
            by_name, one_by_one, at_once = await _measure_calls(running)
        added = [f"+{(seconds - by_name) * 1e3:.2f} ms" for seconds in (one_by_one, at_once)]
        rows.append(f"| {tools:,} | {by_name * 1e3:.2f} ms | {' | '.join(added)} |")
    return "\n".join(rows)


async def _measure_calls(running: Running) -> tuple[float, float, float]:
    """Return the seconds of a call by name, in a program, and in a program with gather: the fastest of the rounds."""
    few, many = CALLS // 10, CALLS + CALLS // 10

    async def call_by_name() -> None:
        for _ in range(CALLS):
            await running.calls.perform(running.calls.tools["get_order"], {"order_id": "o1"}, CallContext())

    async def call_in_program(code: str, calls: int) -> None:
        await _run(running, code.format(calls))

    programs = [(code, calls) for code in (ONE_BY_ONE, AT_ONCE) for calls in (few, many)]
    by_name, *times = [float("inf")] * 5
    for _ in range(ROUNDS):  # the machine is shared: all of them get the same chances
        by_name = min(by_name, await _seconds(call_by_name) / CALLS)
        measured = [await _seconds(partial(call_in_program, *program)) for program in programs]
        times = list(map(min, times, measured))
    return by_name, (times[1] - times[0]) / (many - few), (times[3] - times[2]) / (many - few)


async def measure_programs() -> str:
    """Return a table: the time of whole programs, and the size of the state of one that waits for its user."""
    toolway = Toolway(make_app(1000), settings=Settings(code_tools="all"))
    async with engine_of(toolway).run() as running:
        first = await _seconds(lambda: _run(running, "1"))
        plain = await _fastest(lambda: _run(running, "1"))
        one_call = await _fastest(lambda: _run(running, ONE_BY_ONE.format(1)))
        asked = ReplayChannel(("elicitation",))
        pause = await _seconds(lambda: _run(running, CONFIRMED, asked))
        state = asked.state()
        answers = {key: Answer("accept", {"ok": True}) for key in asked.pending}
        resumed = ReplayChannel(("elicitation",), state, answers)
        resume = await _seconds(lambda: _run(running, CONFIRMED, resumed))
        assert not resumed.pending
    rows = {
        "first program of a server, which starts a worker": f"{first * 1e3:.0f} ms",
        "program without a call": f"{plain * 1e3:.1f} ms",
        "program with one call, checked against its types": f"{one_call * 1e3:.1f} ms",
        "pause before a call that has to be confirmed": f"{pause * 1e3:.1f} ms",
        "state of the paused program": f"{len(state):,} bytes",
        "continue it, with the call": f"{resume * 1e3:.1f} ms",
    }
    return "\n".join(["| | |", "|---|--:|", *(f"| {name} | {value} |" for name, value in rows.items())])


async def try_attacks() -> str:
    """Return a table of attacks and what each of them gave."""
    rows = ["| attack | result | time |", "|---|---|--:|"]
    settings = Settings(code_tools="all", code_seconds=3, code_compute_seconds=1)
    async with engine_of(Toolway(make_app(10), settings=settings)).run() as running:
        await _run(running, "1")
        for name, (code, problem) in ATTACKS.items():
            begin = time.perf_counter()
            outcome = await _run(running, code, check=False)
            seconds = time.perf_counter() - begin
            text = "\n".join(getattr(block, "text", "") for block in outcome.content)
            assert outcome.is_error, f"{name}: {text}"
            assert problem in text, f"{name}: {text}"
            assert not (await _run(running, "1")).is_error
            line = text.splitlines()[1 if text.startswith("The program was not run") else 0]
            line = "".join(filter(str.isprintable, line.removeprefix("The program failed. "))).replace("|", "\\|")
            rows.append(f"| {name} | {line if len(line) <= 110 else line[:110] + '...'} | {seconds * 1e3:,.0f} ms |")
    return "\n".join(rows)


async def _run(running: Running, code: str, asking: ReplayChannel | None = None, *, check: bool = True) -> Outcome:
    tool = running.catalog.built_in[RUN_CODE]
    outcome = await running.calls.perform(tool, {"code": code}, CallContext(asking=asking))
    assert not check or not outcome.is_error or (asking is not None and asking.pending), outcome
    return outcome


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


async def _fastest(work: Callable[[], Awaitable[object]]) -> float:
    return min([await _seconds(work) for _ in range(ROUNDS)])


def sections() -> Iterator[tuple[str, Callable[[], Awaitable[str]]]]:
    """Yield the parts of the report, with their titles."""
    yield "List 50 orders, fetch each, and add up", compare_round_trips
    yield "A call inside a program", measure_inner_calls
    yield "A program", measure_programs
    yield "Attacks on the sandbox", try_attacks


async def main() -> None:
    """Print the report in Markdown."""
    print(
        "# Code mode\n\nMeasured with `python -m benchmarks.agents.code_mode`: Python "
        f"{platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, uvloop. Tokens are bytes / 4.\n"
    )
    for title, measure in sections():
        print(f"## {title}\n\n{await measure()}\n")


if __name__ == "__main__":
    import uvloop  # what `toolway serve` uses

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
