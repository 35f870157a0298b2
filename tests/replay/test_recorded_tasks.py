"""Every recorded service task over MCP: both transports, old and new protocol versions, both databases."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.replay.player import Player
from tests.replay.servers import Revision, Transport, connected
from tests.support import postgres_available, require
from tests.tools.conftest import make_place
from tests.tools.desk import fill_store
from tests.tools.replay import keep_copy, recorded_store, recorded_tasks
from tools.retail.database import Database
from tools.retail.desk import open_store
from tools.retail.settings import RetailSettings


@pytest.fixture
async def store(backend: str, tmp_path: Path) -> AsyncGenerator[Database, None]:
    """Open the store on which all tasks start, with a copy of it kept."""
    require(backend == "sqlite" or postgres_available(), "PostgreSQL does not answer at TOOLWAY_TEST_POSTGRES_URL")
    content = recorded_store()
    place = make_place(backend, tmp_path)
    url = await place.new()
    try:
        await fill_store(url, content)
        async with open_store(RetailSettings(database_url=url)) as store:
            await keep_copy(store)
            yield store
    finally:
        await place.clear()


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("transport", "revision", "backend"),
    [
        ("stdio", "2026-07-28", "sqlite"),
        ("http", "2026-07-28", "sqlite"),
        ("http", "2025-11-25", "sqlite"),
        ("http", "2026-07-28", "postgresql"),
    ],
)
async def test_every_recorded_task_has_the_recorded_outcome(
    transport: Transport, revision: Revision, backend: str, store: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    async with connected(transport, revision, store.url.render_as_string(hide_password=False)) as client:
        assert client.protocol_version == revision
        player = Player(client, store)
        await player.prepare()
        problems = [problem for task in recorded_tasks() for problem in await player.play(task)]
    tally = player.tally
    with capsys.disabled():
        print(
            f"\nreplayed over {transport} on {revision}, {backend}: {tally['tasks']} tasks, "
            f"{tally['operations']} operations, {tally['succeeded']} succeeded, {tally['failed']} failed, "
            f"{len(problems)} not as recorded, {time.monotonic() - began:.0f} s"
        )
    assert not problems, "\n".join(problems)
    assert (tally["tasks"], tally["operations"]) == (74, 365)
