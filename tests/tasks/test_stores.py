"""Stores that are accepted, and errors at startup for others."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.protocol.tasking import make_tasking
from tests.servers import PATIENCE, free_port
from tests.support import POSTGRES_URL, postgres_available, require
from toolway import Settings, Toolway, agent_tool
from toolway.errors import ConfigurationError
from toolway.tasks.sql_store import SqlStore

pytestmark = pytest.mark.anyio


async def problem(store_url: str) -> str:
    """Return the error with which an application with this store fails to start."""
    app = make_tasking(Settings(store_url=store_url))
    with pytest.raises(ConfigurationError) as caught:
        async with app.router.lifespan_context(app):
            pass
    return str(caught.value)


@pytest.mark.parametrize("url", ["mysql://host/tasks", "tasks.db", "sqlite://", "sqlite:///:memory:", ""])
async def test_a_store_of_another_kind_is_refused(url: str) -> None:
    assert "expected sqlite:///path/to/file.db or postgresql://" in await problem(url)


async def test_a_path_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be opened" in await problem(f"sqlite:///{tmp_path}/file/tasks.db")


def test_a_new_store_waits_for_another_worker_that_opens_it(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "tasks.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # the other worker has begun to create the tables
    with ThreadPoolExecutor() as pool:
        opening = pool.submit(SqlStore, f"sqlite:///{tmp_path}/tasks.db", "shop")
        wait([opening], 0.3)  # long enough to find the lock
        other.close()
        opening.result(PATIENCE).close()


async def test_an_unreachable_server_is_reported_without_its_password() -> None:
    text = await problem(f"postgresql://anna:swordfish@127.0.0.1:{free_port()}/tasks")
    assert "cannot be opened" in text
    assert "swordfish" not in text


async def test_postgresql_needs_keys_that_all_workers_share() -> None:
    require(postgres_available(), "PostgreSQL is not reachable at TOOLWAY_TEST_POSTGRES_URL")
    assert "set TOOLWAY_STATE_KEYS" in await problem(POSTGRES_URL)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 32 bytes"):
        Settings.model_validate({"state_keys": ["short"]})


async def test_without_task_tools_no_store_is_created(tmp_path: Path) -> None:
    app = FastAPI()

    @app.get("/plain")
    @agent_tool(name="plain")
    async def plain() -> str:
        return "plain"

    Toolway(app, settings=Settings(store_url=f"sqlite:///{tmp_path}/tasks.db")).mount()
    async with app.router.lifespan_context(app):
        assert not (tmp_path / "tasks.db").exists()
