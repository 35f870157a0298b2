"""Calls that take their time: in both lanes alike, on a clock that does not."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from tests.lanes.application import make_server, passed, started
from tests.lanes.clock import run
from tests.lanes.comparison import is_stream, messages
from tests.lanes.exchange import Answer, Request, send
from tests.lanes.requests import base
from tests.protocol.wire import ERAS

pytestmark = pytest.mark.parametrize("version", ERAS)
both_lanes = pytest.mark.parametrize("fast", [True, False], ids=["fast lane", "SDK"])


def call(version: str, name: str, number: int = 1, token: str | None = None, **arguments: Any) -> Request:
    params = {"name": name, "arguments": arguments, **({"_meta": {"progressToken": token}} if token else {})}
    return base(name, version, "tools/call", params, number).request


@asynccontextmanager
async def serving(fast: bool = True, progress_seconds: float = 5) -> AsyncGenerator[FastAPI]:
    async with started(make_server(fast_lane=fast, stream_seconds=1000, progress_seconds=progress_seconds)) as app:
        yield app


def answered(version: str, fast: bool, name: str, token: str | None = None, **arguments: Any) -> Answer:
    async def ask() -> Answer:
        async with serving(fast) as app:
            return await send(app, call(version, name, token=token, **arguments))

    answer = run(ask())
    assert answer.failure == ""
    return answer


def result(answer: Answer) -> Any:
    return json.loads(messages(answer)[-1])["result"]


@both_lanes
def test_a_silent_call_shows_signs_of_life_every_15_seconds(version: str, fast: bool) -> None:
    answer = answered(version, fast, "wait", seconds=40, label="done")
    assert is_stream(answer)
    comments = [frame for frame in answer.frames if frame.startswith(b":")]
    assert [comment[:6] for comment in comments] == [b": ping"] * 2
    assert not answer.frames[-1].startswith(b":")
    assert len(messages(answer)) == 1
    assert result(answer)["structuredContent"] == {"label": "done"}


def test_a_call_that_is_done_before_that_is_one_json_body(version: str) -> None:
    answer = answered(version, True, "wait", seconds=14)
    assert answer.header(b"content-type") == "application/json"
    assert len(answer.frames) == 1


@both_lanes
def test_progress_turns_the_answer_into_a_stream_that_ends_with_the_result(version: str, fast: bool) -> None:
    answer = answered(version, fast, "wait_in_steps", token="t", seconds=2, steps=3)
    assert is_stream(answer)
    *progress, last = [json.loads(message) for message in messages(answer)]
    assert [entry["params"]["progress"] for entry in progress] == [1, 2, 3]
    assert last["result"]["content"][0]["text"] == "data: 0\n\ndata: 1\n\ndata: 2\n\n"


@both_lanes
def test_without_a_token_the_same_call_tells_no_progress(version: str, fast: bool) -> None:
    assert len(messages(answered(version, fast, "wait_in_steps", seconds=2, steps=3))) == 1


@both_lanes
def test_a_caller_that_wants_progress_hears_every_5_seconds_that_a_call_is_running(version: str, fast: bool) -> None:
    answer = answered(version, fast, "wait", token="t", seconds=12, label="done")
    *progress, last = [json.loads(message) for message in messages(answer)]
    assert [entry["params"] for entry in progress] == [
        {"progressToken": "t", "progress": 0.001, "message": "Still running after 5 seconds"},
        {"progressToken": "t", "progress": 0.002, "message": "Still running after 10 seconds"},
    ]
    assert last["result"]["structuredContent"] == {"label": "done"}


@both_lanes
def test_a_call_that_reports_progress_itself_is_reported_only_between(version: str, fast: bool) -> None:
    answer = answered(version, fast, "wait_in_steps", token="t", seconds=9, steps=3)
    progress = [json.loads(message)["params"]["progress"] for message in messages(answer)[:-1]]
    assert progress == [0.001, 1, 1.001, 2, 2.001, 3]


@both_lanes
@pytest.mark.parametrize(("name", "arguments"), [("answer_first", {}), ("follow_steps", {"steps": 0})])
def test_nothing_is_told_after_the_answer(version: str, fast: bool, name: str, arguments: dict[str, Any]) -> None:
    """Nor is what comes after it waited for: sending more after the end would fail here."""
    answer = answered(version, fast, name, token="t", **arguments)
    assert len(messages(answer)) == 1


@both_lanes
def test_a_background_task_does_not_report_that_it_is_running(version: str, fast: bool) -> None:
    async def ask() -> Answer:
        async with serving(fast, progress_seconds=0.1) as app:
            answer = await send(app, call(version, "answer_first", token="t"))
            await passed(1)
            return answer

    assert len(messages(run(ask()))) == 1


@both_lanes
def test_a_client_that_leaves_after_some_progress_ends_the_work(version: str, fast: bool) -> None:
    async def leave() -> int:
        async with serving(fast) as app:
            await send(app, call(version, "wait_in_steps", token="t", seconds=10, steps=20), frames=2)
            await passed(1)
            return app.state.ended

    assert run(leave()) == 1


def test_200_calls_at_a_time_are_all_answered_each_with_its_own(version: str) -> None:
    """They wait side by side: the clock has moved by little more than what one of them takes."""

    async def ask() -> tuple[list[Answer], float]:
        async with serving() as app:
            calls = [call(version, "wait", number, seconds=0.2, label=f"label {number}") for number in range(200)]
            began = asyncio.get_running_loop().time()
            answers = await asyncio.gather(*(send(app, request) for request in calls))
            return answers, asyncio.get_running_loop().time() - began

    answers, seconds = run(ask())
    told = [(json.loads(answer.body)["id"], result(answer)["structuredContent"]) for answer in answers]
    assert told == [(number, {"label": f"label {number}"}) for number in range(200)]
    assert seconds < 0.4


def parts_of_calls() -> list[Any]:
    """Return every object of a call that is alive in this process."""
    kinds = {"Answer", "AsgiExchange", "CancellableWork", "DisconnectMonitor", "Timer", "ToolCall"}
    return [
        thing
        for thing in gc.get_objects()
        if type(thing).__name__ in kinds and str(type(thing).__module__).startswith("toolway.")
    ]


def test_nothing_is_left_of_calls_however_they_ended(version: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(
        logging.CRITICAL, logger="toolway"
    )  # a record of an exception holds on to all that it went through

    earlier = parts_of_calls()  # of other tests in this process, for example in the traceback of an exception

    def left() -> list[str]:
        known = set(map(id, earlier))
        return [type(part).__name__ for part in parts_of_calls() if id(part) not in known]

    async def ask() -> None:
        async with serving() as app:
            running = asyncio.create_task(send(app, call(version, "wait", seconds=5)))
            await passed(1)
            assert "ToolCall" in left()  # as long as it runs
            await running
            await everything(app)
            tasks = len(asyncio.all_tasks())
            for _ in range(20):
                await everything(app)
            gc.collect()
            assert len(asyncio.all_tasks()) == tasks
            assert left() == []

    async def everything(app: FastAPI) -> None:
        for request in (
            call(version, "count_things"),
            call(version, "fail"),
            call(version, "wait", seconds=0.2),
            call(version, "wait", seconds=20),
            call(version, "answer_first"),
            call(version, "wait_in_steps", token="t", seconds=0.2),
        ):
            await send(app, request)
        await send(app, call(version, "wait_in_steps", token="t", seconds=5, steps=20), frames=1)
        await passed(30)

    run(ask())
