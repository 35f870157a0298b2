"""A tool call is the HTTP request also where Sentry has patched FastAPI and Starlette, for the whole process."""

from __future__ import annotations

from collections.abc import Generator

import pytest

pytest.importorskip("sentry_sdk")

from tests.fidelity.apps import APPLICATIONS
from tests.fidelity.player import Caller, over_http, play, web_client
from tests.servers import serving_apart

CHAPTERS = ("Query parameters", "JSON bodies", "Forms", "Failures", "Dependencies", "Streams and files")


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    with serving_apart("tests.fidelity.reported:make", "--factory") as base:
        yield base


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_tool_call_is_the_http_request_where_errors_are_reported(url: str, mode: str) -> None:
    chapters = [chapter for chapter in APPLICATIONS["main"] if chapter.title in CHAPTERS]
    assert len(chapters) == len(CHAPTERS)
    caller = Caller()
    async with web_client(url, caller) as web, over_http(f"{url}/mcp", mode, caller) as client:
        verdicts = await play(client, web, caller, chapters)
    assert [verdict for verdict in verdicts if not verdict.is_good] == []
