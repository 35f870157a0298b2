"""What a call costs does not depend on how many tools there are, nor much on whether it is the first."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

import pytest
from fastapi import FastAPI

import toolway
from tests.calls.both import both
from tests.lanes.exchange import request_of, send
from tests.protocol.wire import ERAS, headers_of, message
from toolway.calls import CallContext

TOOLWAY = toolway.__path__[0]
RESOLVERS = ("jsonschema", "httpx2", "httpcore2", "referencing", "fastmcp")


def make_app(tools: int) -> FastAPI:
    """Make an application; its first tool is the one that is called, as routers walk over their routes."""
    app = FastAPI()

    @app.post("/orders/{order_id}", operation_id="called")
    async def called(order_id: str, body: dict[str, int], dry: bool = False) -> dict[str, str]:
        return {"order_id": order_id}

    for number in range(tools - 1):

        def other(value: int) -> int:
            return value

        app.add_api_route(f"/others/{number}/{{value}}", other, operation_id=f"other_{number}")
    return app


async def entered(work: Callable[[], Awaitable[Any]]) -> Counter[str]:
    """Count the Python functions that run, by the file they stand in."""
    files: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            files[frame.f_code.co_filename] += 1

    before = sys.getprofile()
    gc.collect()
    gc.disable()  # what others have left behind is not cleared away meanwhile
    sys.setprofile(note)
    try:
        await work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return files


async def files_of_a_call(tools: int) -> Counter[str]:
    """The functions of one call, after a first one that fills caches."""
    async with both(make_app(tools)) as reached:
        assert len(reached.catalog.tools) == tools

        async def call() -> None:
            arguments = {"order_id": "#1", "body": {"a": 1}, "dry": True}
            outcome = await reached.calls.call("called", arguments, CallContext())
            assert not outcome.is_error

        await call()
        return await entered(call)


@pytest.fixture(scope="module")
async def few_and_many() -> tuple[Counter[str], Counter[str]]:
    return await files_of_a_call(10), await files_of_a_call(1000)


async def test_a_call_runs_as_many_functions_among_a_thousand_tools_as_among_ten(
    few_and_many: tuple[Counter[str], Counter[str]],
) -> None:
    few, many = few_and_many
    own = {file: count for file, count in few.items() if file.startswith(TOOLWAY)}
    assert sum(own.values()) < 100
    assert own == {file: count for file, count in many.items() if file.startswith(TOOLWAY)}
    assert few == many


async def test_a_call_enters_no_validator_and_no_http_client(few_and_many: tuple[Counter[str], Counter[str]]) -> None:
    _, many = few_and_many
    parts = {part for file in many for part in file.split("/")}
    assert not parts.intersection(RESOLVERS)


@pytest.mark.parametrize("version", ERAS)
async def test_the_first_call_after_a_start_runs_less_than_twice_the_functions_of_the_second(version: str) -> None:
    app = make_app(10)
    toolway.Toolway(app).mount()
    app.middleware_stack = app.build_middleware_stack()  # as it is when an application is served
    body = message(version, "tools/call", {"name": "called", "arguments": {"order_id": "#1", "body": {"a": 1}}})
    request = request_of(body, headers_of(version, body))

    async def call() -> None:
        assert b'"isError":false' in (await send(app, request)).body

    async with app.router.lifespan_context(app):
        first, second = await entered(call), await entered(call)
    assert first.total() < 2 * second.total()
