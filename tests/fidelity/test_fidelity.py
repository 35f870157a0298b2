"""A tool call is the HTTP request: every case, in both eras, over HTTP and over stdio."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from tests.fidelity.apps import APPLICATIONS, make_app
from tests.fidelity.case import Absent, Case, Chapter
from tests.fidelity.player import Caller, Verdict, over_http, play, web_client
from tests.servers import serving
from tests.support import ROOT
from toolway import Settings, Toolway

ERAS = {"2026-07-28": "auto", "2025-11-25": "legacy"}
WAYS = [f"{transport} {era}" for transport in ("HTTP", "stdio") for era in ERAS]
SETTINGS = Settings(_env_file=None, stream_seconds=1)

pytestmark = [
    pytest.mark.timeout(180),  # the first test of each way plays all of its cases
    pytest.mark.filterwarnings("ignore:Duplicate Operation ID:UserWarning"),  # one route, several methods
]


def every_case() -> list[Any]:
    """Return every case of every application in every way that can carry it, under a name of its own."""
    return [
        pytest.param(way, app, chapter.title, case, id=f"{way}: {app}: {chapter.title}: {case.name}")
        for way in WAYS
        for app, chapters in APPLICATIONS.items()
        for chapter in chapters
        for case in chapter.cases
        if way.startswith("HTTP") or is_for_stdio(case)
    ]


def is_for_stdio(case: Case | Absent) -> bool:
    """Tell whether a process that knows one Authorization header can play a case."""
    return isinstance(case, Absent) or (not case.credential_query and case.credentials.keys() <= {"authorization"})


async def over_a_url(app: str, url: str, mode: str) -> Sequence[Verdict]:
    """Play an application's cases over HTTP."""
    caller = Caller()
    async with web_client(url, caller) as web, over_http(f"{url}/mcp", mode, caller) as client:
        return await play(client, web, caller, APPLICATIONS[app])


async def over_stdio(app: str, url: str, mode: str) -> Sequence[Verdict]:
    """Play an application's cases over stdio: one process for each identity, because a process has one."""
    verdicts: list[Verdict] = []
    for authorization, chapters in by_identity(APPLICATIONS[app]).items():
        started = StdioServerParameters(
            command=sys.executable,
            args=["-m", "toolway", "stdio", f"tests.fidelity.apps:{app}()"],
            env={"TOOLWAY_STREAM_SECONDS": "1", **({"TOOLWAY_AUTHORIZATION": authorization} if authorization else {})},
            cwd=str(ROOT),
        )
        caller = Caller()
        async with web_client(url, caller) as web, Client(started, mode=mode) as client:
            verdicts += await play(client, web, caller, chapters, shares_application=False)
    return verdicts


def by_identity(chapters: Sequence[Chapter]) -> dict[str, list[Chapter]]:
    """Sort the cases that stdio can carry by the Authorization that they come with."""
    sorted_: dict[str, list[Chapter]] = {}
    for chapter in chapters:
        for case in chapter.cases:
            if is_for_stdio(case):
                mine = sorted_.setdefault(authorization_of(case), [])
                if not mine or mine[-1].title != chapter.title:
                    mine.append(Chapter(chapter.title))
                mine[-1].cases.append(case)
    return sorted_


def authorization_of(case: Case | Absent) -> str:
    return case.credentials.get("authorization", "") if isinstance(case, Case) else ""


Played = Callable[[str, str], Mapping[tuple[str, str], Verdict]]


@pytest.fixture(scope="module")
def played(scores: dict[str, list[Verdict]]) -> Played:
    """Return a function that returns the verdicts on an application in one way of calling, played once."""

    @cache
    def verdicts(way: str, app: str) -> Mapping[tuple[str, str], Verdict]:
        transport, era = way.split()
        play_over = {"HTTP": over_a_url, "stdio": over_stdio}[transport]
        with serving(mounted(app)) as url:
            told = anyio.run(play_over, app, url, ERAS[era])
        scores.setdefault(way, []).extend(told)
        return {(verdict.chapter, verdict.name): verdict for verdict in told}

    return verdicts


def mounted(app: str) -> FastAPI:
    """Make an application with its tools at /mcp."""
    served = make_app(app)
    Toolway(served, settings=SETTINGS).mount()
    return served


@pytest.mark.parametrize(("way", "app", "chapter", "case"), every_case())
def test_a_tool_call_is_the_http_request(played: Played, way: str, app: str, chapter: str, case: Case | Absent) -> None:
    assert played(way, app)[chapter, case.name].problems == ()


@pytest.mark.parametrize("app", APPLICATIONS)
async def test_what_is_no_tool_is_reported_with_the_reason(app: str) -> None:
    toolway = Toolway(make_app(app), settings=SETTINGS)
    async with toolway.running() as running:
        told = {f"{entry.method} {entry.path}": entry.reason for entry in running.catalog.skipped}
    absent = [case for chapter in APPLICATIONS[app] for case in chapter.cases if isinstance(case, Absent)]
    assert [case.name for case in absent if case.reported is not None and not told.get(case.reported)] == []


def test_every_case_has_a_name_of_its_own() -> None:
    names = [parameters.id for parameters in every_case()]
    assert len(names) == len(set(names))
