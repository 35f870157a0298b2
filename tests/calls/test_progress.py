"""Endpoints that say how far they are."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request

from tests.calls.both import both
from tests.protocol.clients import BOTH_ERAS, EVERYWHERE, connect
from tests.servers import PATIENCE
from toolway import Progress, Settings
from toolway.calls import CallContext, steady

STEPS = [(0, 100, "begun"), (50, 100, "half"), (100, 100, None)]


def make_working() -> FastAPI:
    """An application whose endpoint takes the given steps."""
    app = FastAPI()

    async def pass_on(request: Request, call_next: Any) -> Any:
        return await call_next(request)

    app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)

    @app.post("/steps", operation_id="work")
    async def work(progress: Progress, steps: list[tuple[float, float | None, str | None]]) -> str:
        for step, total, message in steps:
            await progress(step, total, message)
        return "done"

    return app


@pytest.mark.parametrize(("transport", "mode"), EVERYWHERE)
async def test_the_caller_hears_how_far_an_endpoint_is(transport: str, mode: str) -> None:
    heard: list[Any] = []

    async def follow(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with connect(transport, mode, make_working) as client:
        result = await client.call_tool("work", {"steps": STEPS}, progress_callback=follow)
    assert not result.is_error
    assert heard == STEPS


async def test_progress_does_nothing_where_nobody_listens() -> None:
    async with both(make_working()) as reached:
        assert not (await reached.call("work", {"steps": STEPS})).is_error
        assert (await reached.web.post("/steps", json=STEPS)).json() == "done"


async def test_progress_is_no_argument_and_stands_in_no_document() -> None:
    app = make_working()
    async with both(app) as reached:
        assert set(reached.catalog.tools["work"].arguments) == {"steps"}
    operation = app.openapi()["paths"]["/steps"]["post"]
    assert "parameters" not in operation
    assert set(operation["requestBody"]["content"]) == {"application/json"}


async def heard_of(*steps: tuple[float, float | None]) -> list[float]:
    """What of these reports reaches the caller."""
    heard: list[float] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    async with both(make_working()) as reached:
        context = CallContext(report=steady(report))
        outcome = await reached.calls.call("work", {"steps": [(*step, None) for step in steps]}, context)
        assert not outcome.is_error
    return heard


async def test_a_report_that_is_no_further_than_the_last_is_dropped() -> None:
    assert await heard_of((1, None), (1, None), (0.5, None), (2, None), (-1, None), (2.5, None)) == [1, 2, 2.5]


async def test_reports_that_come_too_fast_are_dropped_but_never_the_last() -> None:
    heard = await heard_of(*((step, 1000) for step in range(1001)))
    assert len(heard) < 100
    assert heard[:10] == list(range(10))
    assert heard[-1] == 1000


async def test_no_report_of_an_endpoint_is_lost_behind_a_heartbeat() -> None:
    sent: list[tuple[float, float | None, str | None]] = []

    async def report(*entry: Any) -> None:
        sent.append(entry)

    steadied = steady(report)
    assert steadied is not None
    await steadied.beat("still running")
    await steadied(0, 0.002, "begun")
    await steadied.beat("still running")
    await steadied(0.002, 0.002, "ended")
    assert [message for *_, message in sent] == ["still running", "begun", "still running", "ended"]
    values = [value for value, *_ in sent]
    assert values == sorted(set(values))
    assert values[-1] == 0.002
    assert [total for _, total, _ in sent] == [None, 0.002, 0.002, 0.002]


def make_slow() -> FastAPI:
    app = FastAPI()

    @app.post("/slow", operation_id="slow")
    def slow() -> str:
        RELEASED.wait(PATIENCE)
        return "done"

    return app


RELEASED = threading.Event()


@pytest.mark.parametrize(("transport", "mode"), [entry for entry in BOTH_ERAS if entry[0] != "stdio"])
async def test_heartbeats_keep_a_client_waiting_on_every_transport(transport: str, mode: str) -> None:
    RELEASED.clear()
    heard: list[float] = []

    async def follow(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)
        if len(heard) == 3:
            RELEASED.set()

    settings = Settings(progress_seconds=0.02, stateful=transport == "stateful http")
    async with connect(transport, mode, make_slow, settings) as client:
        result = await client.call_tool("slow", {}, progress_callback=follow)
    assert not result.is_error
    assert heard == sorted(set(heard))
    assert len(heard) >= 3
