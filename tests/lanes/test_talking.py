"""Tools that may ask or log are called through the SDK, the others through the fast lane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import FastAPI

from tests.calls.test_progress import make_working
from tests.calls.test_tool_results import make_writing
from tests.lanes.application import new_app
from tests.lanes.pair import Verdict, pair
from tests.lanes.requests import base
from tests.protocol.asking import make_asking
from tests.protocol.wire import CAPABILITIES_KEY, HANDSHAKES, MODERN
from toolway import Settings, Toolway

ASKING = ["greet", "paint", "gather", "think", "survive", "own", "cancel_order", "confirm_twice"]
WRITING = ["everything", "add_up", "picture", "words", "nothing", "failure", "anything"]
VERSIONS = [None, *HANDSHAKES, MODERN]


def make_talking(*, fast_lane: bool) -> FastAPI:
    """Make a fresh application that serves what asks, logs, reports and writes results."""
    app = new_app("Talking")
    for part in (make_asking(), make_working(), make_writing()):
        app.router.routes.extend(part.router.routes[4:])  # behind those of the documentation
        app.state.done = getattr(part.state, "done", getattr(app.state, "done", None))
    Toolway(app, name="talking", settings=Settings(fast_lane=fast_lane)).mount()
    return app


async def told(version: str | None, name: str, arguments: Mapping[str, Any], meta: Mapping[str, Any]) -> Verdict:
    params = {"name": name, "arguments": dict(arguments), "_meta": dict(meta)}
    async with pair(make_talking) as both:
        return await both.verdict(base(name, version, "tools/call", params).request)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", WRITING)
async def test_results_that_an_endpoint_writes_are_alike_in_both_lanes(version: str | None, name: str) -> None:
    verdict = await told(version, name, {}, {})
    assert (verdict.differences, verdict.was_fast) == ((), True)


@pytest.mark.parametrize("version", VERSIONS)
async def test_progress_is_alike_in_both_lanes(version: str | None) -> None:
    steps = {"steps": [[0, 100, "begun"], [50, None, None], [50, 100, "again"], [100, 100, "é"]]}
    verdict = await told(version, "work", steps, {"progressToken": "t"})
    assert (verdict.differences, verdict.was_fast) == ((), True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [*ASKING, "take_note"])
async def test_what_may_ask_or_log_is_left_to_the_sdk(version: str | None, name: str) -> None:
    arguments = {"order_id": "#1"} if name in {"cancel_order", "confirm_twice"} else {}
    verdict = await told(version, name, arguments, {CAPABILITIES_KEY: {}} if version == MODERN else {})
    assert (verdict.differences, verdict.was_fast) == ((), False)
