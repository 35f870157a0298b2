"""Tasks outlive an upgrade: workers with other tools, another title, and another version of the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from anyio import to_thread
from fastapi import FastAPI
from pydantic_core import to_json

from tests.protocol.tasking import Client
from tests.protocol.waiting import Tracker
from tests.servers import PATIENCE, serving
from tests.tasks.test_stores import problem
from tests.tasks.test_workers import ANNA, SEAL, Work, state, until, working
from toolway import Settings, Toolway, agent_tool
from toolway.content import EmbeddedResource, ImageContent, ResourceContents, TextContent
from toolway.tasks import TaskState, TaskWorker
from toolway.tasks.call_codec import decode_outcome
from toolway.tasks.sql_store import SqlStore
from toolway.tasks.task import TaskRequest

REQUEST = TaskRequest("count", SEAL.fingerprint(ANNA), SEAL.encrypt(b"", "task"), repeatable=True)
VERSION_0 = """
CREATE TABLE {jobs} (
    id TEXT NOT NULL PRIMARY KEY, service TEXT NOT NULL, tool TEXT NOT NULL, caller TEXT NOT NULL,
    call {binary} NOT NULL, repeatable BOOLEAN NOT NULL, state TEXT NOT NULL, message TEXT, result {binary},
    questions TEXT, answers {binary}, round INTEGER NOT NULL, worker TEXT, created BIGINT NOT NULL,
    updated BIGINT NOT NULL, expires BIGINT NOT NULL
)
"""


class Database:
    """Direct access to the database of a store."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self.prefix = "" if self.is_sqlite else "toolway."
        self._engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    def run(self, statement: str, **values: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.text(statement), values)
        self._engine.dispose()


@pytest.fixture
def database_of(store_url: str) -> Database:
    return Database(store_url)


def can_run_all(_: str) -> bool:
    return True


def test_a_task_whose_worker_died_three_times_fails_with_the_reason(store_url: str) -> None:
    store = SqlStore(store_url, "shop")
    store.add("task", REQUEST, 3_600_000)
    for worker in ("first", "second", "third"):
        assert store.claim("task", 0, worker, can_run_all) is not None
        store.release(worker)
    task = store.get("task")
    store.close()
    assert task is not None
    assert task.state is TaskState.FAILED
    assert task.message == "The worker running this task ended unexpectedly 3 times, so it is not retried again."


def test_an_orderly_shutdown_does_not_count_as_an_attempt(store_url: str) -> None:
    store = SqlStore(store_url, "shop")
    store.add("task", REQUEST, 3_600_000)
    for number in range(5):
        assert store.claim("task", 0, str(number), can_run_all) is not None
        store.interrupt("task", str(number))
    task = store.get("task")
    store.close()
    assert task is not None
    assert task.state is TaskState.WORKING


@pytest.mark.anyio
async def test_workers_leave_tasks_to_others_that_they_cannot_run(store_url: str) -> None:
    old, new = Work(), Work()
    old.gate.set()
    new.gate.set()
    async with working(store_url, old, can_run=lambda tool: tool == "old") as worker, working(store_url, new) as other:
        kinds = ["old", "new"] * 5
        tasks = [(await worker.start(kind, ANNA, b"", repeatable=False)).id for kind in kinds]
        await until(lambda: len(old.begun) + len(new.begun) == len(tasks))
        for task in tasks:
            await until(lambda task=task: _is_completed(other, task))
    assert set(old.begun) == {"old"}


async def _is_completed(worker: TaskWorker, task_id: str) -> bool:
    return await state(worker, task_id) is TaskState.COMPLETED


def make_shop(settings: Settings, title: str, *tools: str) -> FastAPI:
    """Make an application whose tools add two numbers, or wait for the tracker if their name begins with hold."""
    app = FastAPI(title=title)
    app.state.tracker = Tracker()
    for tool in tools:
        endpoint = _holder(app.state.tracker) if tool.startswith("hold") else _adder()
        app.put(f"/{tool}")(agent_tool(name=tool, task="required")(endpoint))
    Toolway(app, settings=settings).mount()
    return app


def _adder() -> Callable[..., Any]:
    async def add(first: int, second: int) -> dict[str, int]:
        return {"sum": first + second}

    return add


def _holder(tracker: Tracker) -> Callable[..., Any]:
    async def hold() -> str:
        tracker.note("began")
        await to_thread.run_sync(tracker.opened.wait, PATIENCE, abandon_on_cancel=True)
        return "held"

    return hold


def test_tasks_outlive_their_tool_and_the_title_of_their_application(tmp_path: Path) -> None:
    settings = Settings(store_url=f"sqlite:///{tmp_path}/tasks.db", tasks_at_once=1)
    first = make_shop(settings, "Shop", "add", "hold", "hold_more")
    with serving(first) as url:
        client = Client(url)
        done = client.start("add", first=2, second=3)["taskId"]
        result = client.wait(done)["result"]
        client.start("hold")
        first.state.tracker.wait("began")
        waiting = client.start("hold_more")["taskId"]
    first.state.tracker.opened.set()
    with serving(make_shop(settings, "Store", "sum")) as url:
        client = Client(url)
        assert client.get(done)["result"] == result
        state = client.get(waiting)
        assert state["status"] == "working"
        assert state["statusMessage"] == "Waiting for a server that has the tool 'hold_more'; this one lacks it."
    last = make_shop(settings, "Store", "sum", "hold_more")
    last.state.tracker.opened.set()
    with serving(last) as url:
        assert Client(url).wait(waiting)["result"]["structuredContent"] == "held"


@pytest.mark.anyio
async def test_a_store_of_a_newer_release_is_refused(store_url: str, database_of: Database) -> None:
    SqlStore(store_url, "shop").close()
    database_of.run(f"UPDATE {database_of.prefix}store_version SET version = 99")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLWAY_STATE_KEYS", '["a secret that is long enough for a key"]')
        text = await problem(store_url)
    assert "its schema version is 99" in text
    assert "upgrade toolway, or set TOOLWAY_STORE_URL" in text


@pytest.mark.anyio
@pytest.mark.parametrize("column", ["message", "attempts"])
async def test_a_store_that_lacks_a_column_is_refused(store_url: str, database_of: Database, column: str) -> None:
    SqlStore(store_url, "shop").close()
    database_of.run(f"ALTER TABLE {database_of.prefix}jobs DROP COLUMN {column}")
    assert f"its table 'jobs' has no column {column!r}" in await problem(store_url)


@pytest.mark.anyio
async def test_a_store_without_a_version_is_migrated_with_its_tasks(store_url: str, database_of: Database) -> None:
    if not database_of.is_sqlite:
        database_of.run("CREATE SCHEMA toolway")
    binary = "BLOB" if database_of.is_sqlite else "BYTEA"
    database_of.run(VERSION_0.format(jobs=f"{database_of.prefix}jobs", binary=binary))
    database_of.run(
        f"INSERT INTO {database_of.prefix}jobs (id, service, tool, caller, call, repeatable, state, round, created, "
        "updated, expires) VALUES ('task', 'Shop', 'count', :caller, :call, true, 'working', 0, 0, 0, 9000000000000)",
        caller=REQUEST.caller,
        call=REQUEST.call,
    )
    work = Work()
    work.gate.set()
    for _ in range(2):  # the second time, the store has been migrated
        async with working(store_url, work) as worker:
            await until(lambda worker=worker: _is_completed(worker, "task"))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"kind": "text", "text": "done"}, TextContent(text="done")),
        ({"kind": "image", "data": "aGk=", "media_type": "image/png"}, ImageContent(data=b"hi", mime_type="image/png")),
        (
            {"kind": "blob", "data": "aGk=", "media_type": "application/zip", "uri": "response:0"},
            EmbeddedResource(resource=ResourceContents(uri="response:0", mime_type="application/zip", blob=b"hi")),
        ),
        ({"kind": "written", "block": {"type": "text", "text": "as written"}}, TextContent(text="as written")),
    ],
)
def test_a_result_stored_by_an_earlier_release_is_read(entry: dict[str, Any], expected: object) -> None:
    stored = to_json({"content": [entry], "structured": None, "error": None, "status": 200})
    assert decode_outcome(stored).content == (expected,)


def test_a_structured_result_stored_by_an_earlier_release_is_read_once() -> None:
    content = [{"kind": "text", "text": '{"sum":3}'}]
    outcome = decode_outcome(to_json({"content": content, "structured": '{"sum":3}', "error": None, "status": 200}))
    assert outcome.structured == b'{"sum":3}'
    assert outcome.content == (TextContent(text='{"sum":3}'),)
