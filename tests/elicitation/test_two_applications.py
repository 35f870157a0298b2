"""Two applications in one process, which cannot read each other's question states."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.elicitation.test_asking_over_http import ANN, answering
from tests.protocol.asking import make_asking, make_asking_server
from tests.protocol.test_questions import ANN as ANN_OVER_MCP
from tests.protocol.test_questions import KEY_1, KEY_2, call, is_refused, state_of
from tests.protocol.wire import Peer
from tests.servers import Serve
from toolway import Settings, Toolway
from toolway.app import engine_of

CASES = pytest.mark.parametrize(
    ("first", "second", "is_shared"),
    [
        ({}, {}, False),
        ({"state_keys": [KEY_1]}, {"state_keys": [KEY_2]}, False),
        ({"state_keys": [KEY_1]},) * 2 + (True,),
    ],
    ids=["without keys", "different keys", "same keys"],
)


@CASES
def test_over_mcp(serve: Serve, first: dict[str, Any], second: dict[str, Any], is_shared: bool) -> None:
    one, other = (
        Peer(serve(make_asking_server(Settings.model_validate(values))) + "/mcp") for values in (first, second)
    )
    state = state_of(call(one, "greet"))
    answer = {"inputResponses": ANN_OVER_MCP, "requestState": state}
    assert is_refused(call(other, "greet", **answer)) is not is_shared
    assert is_refused(call(one, "greet", **answer)) is is_shared  # the other one has used it


@CASES
async def test_over_http(first: dict[str, Any], second: dict[str, Any], is_shared: bool) -> None:
    one, other = make_asking(), make_asking()
    async with (
        engine_of(Toolway(one, settings=Settings.model_validate(first))).run(),
        engine_of(Toolway(other, settings=Settings.model_validate(second))).run(),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=one), base_url="http://localhost") as client,
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=other), base_url="http://localhost") as other_client,
    ):
        headers = answering(await client.post("/greet"), ANN)
        assert (await other_client.post("/greet", headers=headers)).status_code == (200 if is_shared else 400)
        assert (await client.post("/greet", headers=headers)).status_code == (400 if is_shared else 200)


async def test_applications_without_toolway_have_keys_of_their_own() -> None:
    one, other = make_asking(), make_asking()
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=one), base_url="http://localhost") as client,
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=other), base_url="http://localhost") as other_client,
    ):
        headers = answering(await client.post("/greet"), ANN)
        assert (await other_client.post("/greet", headers=headers)).status_code == 400
        assert (await client.post("/greet", headers=headers)).json() == "Hello, Ann!"
