"""Workers on one store: tasks that wait, end, expire and move to another worker."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers import PATIENCE
from toolway.elicitation import Seal
from toolway.tasks import TaskState, TaskWorker
from toolway.tasks.dbos_queue import DbosQueue
from toolway.tasks.sql_store import SqlStore
from toolway.tasks.store import CanRun
from toolway.tasks.task import RunResult, TaskRequest
from toolway.tasks.worker import TaskLimits

pytestmark = pytest.mark.anyio

SEAL = Seal([b"a secret that is long enough for a key"])
ANNA = b"anna"
DONE = RunResult(TaskState.COMPLETED, result=b"{}")


class Work:
    """A tool that waits for the gate, and records its calls."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun: list[str] = []
        self.stopped: list[str] = []

    async def __call__(self, tool: str, *_: Any) -> RunResult:
        self.begun.append(tool)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.stopped.append(tool)
            raise
        return DONE


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/tasks.db"


@asynccontextmanager
async def working(
    url: str, work: Any, seal: Seal = SEAL, can_run: CanRun = lambda _: True, **limits: Any
) -> AsyncGenerator[TaskWorker]:
    store = SqlStore(url, "shop")
    found = TaskLimits(**{"seconds": 3600, "at_once": 5, "per_caller": 100, **limits})
    queue = DbosQueue(store.url, "shop", "", found.at_once)
    async with TaskWorker(store, queue, seal, work, found, can_run).running() as worker:
        yield worker


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until a condition holds."""
    pause = asyncio.Event()
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            try:
                await asyncio.wait_for(pause.wait(), 0.05)
            except TimeoutError:
                continue


async def state(worker: TaskWorker, task_id: str) -> TaskState | None:
    task = await worker.get(task_id, lambda _: ANNA)
    return task.state if task is not None else None


async def test_the_number_of_running_tasks_is_limited(url: str) -> None:
    work = Work()
    async with working(url, work, at_once=2) as worker:
        task_ids = [(await worker.start("count", ANNA, b"", repeatable=True)).id for _ in range(4)]
        await until(lambda: len(work.begun) == 2)
        assert [await state(worker, task_id) for task_id in task_ids] == [TaskState.WORKING] * 4
        work.gate.set()
        await until(lambda: len(work.begun) == 4)


async def test_the_next_worker_runs_a_repeatable_task_again(url: str) -> None:
    first, second = Work(), Work()
    async with working(url, first) as worker:
        task_id = (await worker.start("count", ANNA, b"", repeatable=True)).id
        await until(lambda: first.begun == ["count"])
    assert first.stopped == ["count"]
    second.gate.set()
    async with working(url, second) as worker:
        await until(lambda: _is(worker, task_id, TaskState.COMPLETED))
    assert second.begun == ["count"]


async def test_a_task_that_must_not_run_twice_gets_time_to_finish(url: str) -> None:
    work = Work()
    async with working(url, work) as worker:
        task_id = (await worker.start("charge", ANNA, b"", repeatable=False)).id
        await until(lambda: work.begun == ["charge"])
        asyncio.get_running_loop().call_later(0.1, work.gate.set)
    assert work.stopped == []
    async with working(url, work) as worker:
        assert await state(worker, task_id) is TaskState.COMPLETED


async def test_waiting_tasks_run_after_a_restart(url: str) -> None:
    work = Work()
    async with working(url, work, at_once=1) as worker:
        for _ in range(3):
            await worker.start("count", ANNA, b"", repeatable=True)
        await until(lambda: work.begun == ["count"])
    work.gate.set()
    async with working(url, work, at_once=1):
        await until(lambda: len(work.begun) == 4)


async def test_a_task_that_was_stored_but_not_queued_runs(url: str) -> None:
    store = SqlStore(url, "shop")
    request = TaskRequest("count", SEAL.fingerprint(ANNA), SEAL.encrypt(b"", "lost"), repeatable=False)
    store.add("lost", request, 3_600_000)
    store.close()
    work = Work()
    work.gate.set()
    async with working(url, work) as worker:
        await until(lambda: _is(worker, "lost", TaskState.COMPLETED))
    assert work.begun == ["count"]


async def test_an_expired_task_is_stopped_and_removed(url: str, tmp_path: Path) -> None:
    work = Work()
    async with working(url, work, seconds=1) as worker:
        task_id = (await worker.start("count", ANNA, b"", repeatable=True)).id
        await until(lambda: work.stopped == ["count"])
        assert await state(worker, task_id) is None
        await until(lambda: _rows(tmp_path / "tasks.db") == 0)


async def test_a_task_encrypted_with_an_unknown_key_fails(url: str) -> None:
    work = Work()
    async with working(url, work) as worker:
        task_id = (await worker.start("count", ANNA, b"", repeatable=True)).id
        await until(lambda: work.begun == ["count"])
    other = Seal([b"another secret, long enough for a key"])
    async with working(url, work, other):
        store = SqlStore(url, "shop")
        await until(lambda: _stored_state(store, task_id) is TaskState.FAILED)
        store.close()
    assert work.begun == ["count"]


async def test_an_exception_in_a_task_is_reported_by_its_reference_alone(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> RunResult:
        raise RuntimeError("the password is swordfish")

    async with working(url, broken) as worker:
        task_id = (await worker.start("count", ANNA, b"", repeatable=True)).id
        await until(lambda: _is(worker, task_id, TaskState.FAILED))
        task = await worker.get(task_id, lambda _: ANNA)
    assert task is not None
    assert task.message is not None
    assert task.message.startswith("Internal error. Reference: ")
    assert task.message.rpartition(" ")[2] in caplog.text


async def test_two_workers_of_one_queue_in_a_process_share_its_tasks(url: str) -> None:
    first, second = Work(), Work()
    first.gate.set()
    second.gate.set()
    async with working(url, first) as worker, working(url, second) as other:
        task_ids = [(await each.start("count", ANNA, b"", repeatable=True)).id for each in (worker, other)]
        for task_id in task_ids:
            await until(lambda task_id=task_id: _is(worker, task_id, TaskState.COMPLETED))


async def _is(worker: TaskWorker, task_id: str, wanted: TaskState) -> bool:
    return await state(worker, task_id) is wanted


def _stored_state(store: SqlStore, task_id: str) -> TaskState | None:
    task = store.get(task_id)
    return task.state if task is not None else None


def _rows(file: Path) -> int:
    with sqlite3.connect(file) as connection:
        return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES)


TABLES = ("jobs", "workflow_status")
