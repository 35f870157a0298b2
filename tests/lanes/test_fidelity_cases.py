"""Every case of the fidelity suite gets the same response from both lanes, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI

from tests.fidelity.apps import APPLICATIONS, make_app
from tests.fidelity.case import Case
from tests.lanes.application import started
from tests.lanes.comparison import Outcome, differences, messages
from tests.lanes.exchange import Request, send
from tests.lanes.permitted import permission
from tests.lanes.requests import base
from tests.protocol.wire import ERAS, MODERN
from toolway import Settings, Toolway

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:Duplicate Operation ID:UserWarning"),  # one route, several methods
]


@asynccontextmanager
async def served(app: str, *, fast_lane: bool) -> AsyncGenerator[FastAPI]:
    made = make_app(app)
    Toolway(made, settings=Settings(stream_seconds=1, fast_lane=fast_lane, result_tokens=0, catalog="list")).mount()
    async with started(made):
        await send(made, call(MODERN, "journal", {}))  # other tests may have left something in it
        yield made


def call(version: str, name: str, arguments: Any) -> Request:
    return base(name, version, "tools/call", {"name": name, "arguments": arguments}).request


def request_of(case: Case, version: str) -> Request:
    request = call(version, case.tool, case.arguments)
    credentials = tuple((name.encode(), value.encode()) for name, value in case.credentials.items())
    query = urlencode(case.credential_query).encode()
    return Request(headers=(*request.headers, *credentials), body=request.body, query=query)


async def outcome(app: FastAPI, request: Request, version: str) -> Outcome:
    """Return the result of a call: its response, and what the application recorded."""
    answer = await send(app, request)
    return Outcome(answer, [], messages(await send(app, call(version, "journal", {}))))


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("app", APPLICATIONS)
def test_every_case_is_answered_alike(app: str, version: str) -> None:
    cases = [case for chapter in APPLICATIONS[app] for case in chapter.cases if isinstance(case, Case)]

    async def compared() -> dict[str, Any]:
        async with served(app, fast_lane=True) as fast, served(app, fast_lane=False) as sdk:
            return {case.name: await difference(fast, sdk, request_of(case, version)) for case in cases}

    async def difference(fast: FastAPI, sdk: FastAPI, request: Request) -> list[str]:
        told = [await outcome(one, request, version) for one in (fast, sdk)]
        return [] if permission(request, *told) else list(differences(*told))

    assert {name: found for name, found in asyncio.run(compared()).items() if found} == {}
    assert len(cases) > 100
