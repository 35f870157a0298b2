"""A tool call is the HTTP request: every case, in both eras, over HTTP with and without the fast lane, over stdio.

Over HTTP directly, nothing records the requests that an application gets, so that plain endpoints are called without
its stack; what came of them and their side effects must be the same all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from starlette.types import ASGIApp

from tests.fidelity import apps
from tests.fidelity.application import Application
from tests.fidelity.case import Absent, Case, Chapter
from tests.fidelity.journal import watched
from tests.fidelity.player import Caller, Oracle, Verdict, over_http, play, web_client
from tests.fidelity.variants import VARIANTS
from tests.servers import serving
from tests.support import ROOT
from tests.tally import Tally
from toolway import Settings, Toolway
from toolway.app import engine_of

ERAS = {"2026-07-28": "auto", "2025-11-25": "legacy"}
TRANSPORTS = ("HTTP", "HTTP by the SDK", "HTTP directly", "stdio")
WAYS = [f"{transport} {era}" for transport in TRANSPORTS for era in ERAS]
SETTINGS = {
    fast: Settings(
        _env_file=None,
        stream_seconds=1,
        result_tokens=0,
        output_schemas=True,
        catalog="list",
        schemas="full",
        fast_lane=fast,
        direct=fast,
    )
    for fast in (True, False)
}

APPLICATIONS = {
    **{name: Application(chapters=chapters, transports=TRANSPORTS) for name, chapters in apps.APPLICATIONS.items()},
    **VARIANTS,
}

pytestmark = [
    pytest.mark.timeout(180),  # the first test of each way plays all of its cases
    pytest.mark.filterwarnings("ignore:Duplicate Operation ID:UserWarning"),  # one route, several methods
    pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated"),  # people have it all the same
]


def every_case() -> list[Any]:
    """Return every case of every application in every way that can carry it, under a name of its own."""
    return [
        pytest.param(way, app, chapter.title, case, id=f"{way}: {app}: {chapter.title}: {case.name}")
        for way in WAYS
        for app, application in APPLICATIONS.items()
        for chapter in application.chapters
        for case in chapter.cases
        if is_played(application, way) and (way.startswith("HTTP") or is_for_stdio(case))
    ]


def is_played(application: Application, way: str) -> bool:
    """Tell whether an application is for a way; what stands around all of the chapters leaves no call direct."""
    transport, _, era = way.rpartition(" ")
    is_small = len(application.chapters) < len(APPLICATIONS["main"].chapters)
    return transport in application.transports or (transport == "HTTP directly" and era == "2026-07-28" and is_small)


def is_for_stdio(case: Case | Absent) -> bool:
    """Tell whether a process that knows one Authorization header can play a case."""
    return isinstance(case, Absent) or (not case.credential_query and case.credentials.keys() <= {"authorization"})


async def over_a_url(app: str, url: str, mode: str, oracle: Oracle) -> Sequence[Verdict]:
    """Play an application's cases over HTTP."""
    application, caller = APPLICATIONS[app], Caller()
    async with (
        web_client(url + application.base, caller) as web,
        over_http(url + application.mcp, mode, caller) as client,
    ):
        return await play(client, web, caller, application.chapters, oracle=oracle)


async def over_stdio(app: str, url: str, mode: str, oracle: Oracle) -> Sequence[Verdict]:
    """Play an application's cases over stdio: one process for each identity, because a process has one."""
    verdicts: list[Verdict] = []
    for authorization, chapters in by_identity(APPLICATIONS[app].chapters).items():
        module = "tests.fidelity.variants" if app in VARIANTS else "tests.fidelity.apps"
        started = StdioServerParameters(
            command=sys.executable,
            args=[
                "-m",
                "toolway",
                "stdio",
                f"{module}:{app}()",
            ],
            env={
                "TOOLWAY_STREAM_SECONDS": "1",
                "TOOLWAY_RESULT_TOKENS": "0",
                "TOOLWAY_CATALOG": "list",
                "TOOLWAY_SCHEMAS": "full",
                "TOOLWAY_OUTPUT_SCHEMAS": "true",
                **({"TOOLWAY_AUTHORIZATION": authorization} if authorization else {}),
            },
            cwd=str(ROOT),
        )
        caller = Caller()
        async with web_client(url, caller) as web, Client(started, mode=mode) as client:
            verdicts += await play(client, web, caller, chapters, shares_application=False, oracle=oracle)
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
def played(tally: Tally) -> Played:
    """Return a function that returns the verdicts on an application in one way of calling, played once."""

    oracles: dict[tuple[str, bool], Oracle] = {}

    @cache
    def verdicts(way: str, app: str) -> Mapping[tuple[str, str], Verdict]:
        transport, _, era = way.rpartition(" ")
        play_over = over_stdio if transport == "stdio" else over_a_url
        directly = transport == "HTTP directly"
        with serving(mounted(app, transport), **APPLICATIONS[app].server) as url:
            told = anyio.run(play_over, app, url, ERAS[era], oracles.setdefault((app, directly), {}))
        good = sum(verdict.is_good for verdict in told)
        tally.count(
            "fidelity: calls beside the plain HTTP request", way, {"the same": good, "different": len(told) - good}
        )
        return {(verdict.chapter, verdict.name): verdict for verdict in told}

    return verdicts


def mounted(app: str, transport: str) -> ASGIApp:
    """Make an application with its tools at /mcp, and what it stands under."""
    application, directly = APPLICATIONS[app], transport == "HTTP directly"
    served = application.make(records=not directly)
    settings = SETTINGS[transport != "HTTP by the SDK"].model_copy(update=application.settings)
    Toolway(served, settings=settings).mount()
    under = application.under(served)
    return watched(served, under) if directly else under


@pytest.mark.parametrize(("way", "app", "chapter", "case"), every_case())
def test_a_tool_call_is_the_http_request(played: Played, way: str, app: str, chapter: str, case: Case | Absent) -> None:
    assert played(way, app)[chapter, case.name].problems == ()


@pytest.mark.parametrize("app", APPLICATIONS)
async def test_what_is_no_tool_is_reported_with_the_reason(app: str) -> None:
    toolway = Toolway(APPLICATIONS[app].make(), settings=SETTINGS[True])
    async with engine_of(toolway).run() as running:
        prefix = APPLICATIONS[app].base
        told = {f"{entry.method} {entry.path.removeprefix(prefix)}": entry.reason for entry in running.catalog.skipped}
    absent = [case for chapter in APPLICATIONS[app].chapters for case in chapter.cases if isinstance(case, Absent)]
    assert [case.name for case in absent if case.reported is not None and not told.get(case.reported)] == []


def test_every_case_has_a_name_of_its_own() -> None:
    names = [parameters.id for parameters in every_case()]
    assert len(names) == len(set(names))
