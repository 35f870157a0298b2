"""Workers on one store: jobs that wait, end, expire and are handed over."""

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
from toolway.tasks import Jobs, JobState
from toolway.tasks.model import RunResult, TaskRequest
from toolway.tasks.sql_store import JobStore

pytestmark = pytest.mark.anyio

SEAL = Seal([b"a secret that is long enough for a key"])
ANNA = b"anna"
DONE = RunResult(JobState.COMPLETED, result=b"{}")


class Work:
    """What the jobs do: wait for the gate, and count."""

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
async def working(url: str, work: Any, seal: Seal = SEAL, service: str = "shop", **limits: Any) -> AsyncGenerator[Jobs]:
    limits = {"seconds": 3600, "at_once": 5, "per_caller": 100, **limits}
    async with Jobs(JobStore(url, service), seal, work, **limits).working() as jobs:
        yield jobs


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until something holds, which is looked at now and then."""
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


async def state(jobs: Jobs, number: str) -> JobState | None:
    job = await jobs.get(number, lambda _: ANNA)
    return job.state if job is not None else None


async def test_no_more_run_at_once_than_may(url: str) -> None:
    work = Work()
    async with working(url, work, at_once=2) as jobs:
        numbers = [(await jobs.start("count", ANNA, b"", repeatable=True)).id for _ in range(4)]
        await until(lambda: len(work.begun) == 2)
        assert [await state(jobs, number) for number in numbers] == [JobState.WORKING] * 4
        work.gate.set()
        await until(lambda: len(work.begun) == 4)


async def test_what_may_run_again_is_left_to_the_next_worker(url: str) -> None:
    first, second = Work(), Work()
    async with working(url, first) as jobs:
        number = (await jobs.start("count", ANNA, b"", repeatable=True)).id
        await until(lambda: first.begun == ["count"])
    assert first.stopped == ["count"]
    second.gate.set()
    async with working(url, second) as jobs:
        await until(lambda: _is(jobs, number, JobState.COMPLETED))
    assert second.begun == ["count"]


async def test_what_must_not_run_twice_gets_a_moment_to_end(url: str) -> None:
    work = Work()
    async with working(url, work) as jobs:
        number = (await jobs.start("charge", ANNA, b"", repeatable=False)).id
        await until(lambda: work.begun == ["charge"])
        asyncio.get_running_loop().call_later(0.1, work.gate.set)
    assert work.stopped == []
    async with working(url, work) as jobs:
        assert await state(jobs, number) is JobState.COMPLETED


async def test_what_waits_is_done_after_a_restart(url: str) -> None:
    work = Work()
    async with working(url, work, at_once=1) as jobs:
        for _ in range(3):
            await jobs.start("count", ANNA, b"", repeatable=True)
        await until(lambda: work.begun == ["count"])
    work.gate.set()
    async with working(url, work, at_once=1):
        await until(lambda: len(work.begun) == 4)


async def test_a_job_whose_acceptor_died_before_it_came_into_the_queue_is_run(url: str) -> None:
    store = JobStore(url, "shop")
    order = TaskRequest("count", SEAL.fingerprint(ANNA), SEAL.close(b"", "lost"), repeatable=False)
    store.add("lost", order, 3_600_000)
    store.close()
    work = Work()
    work.gate.set()
    async with working(url, work) as jobs:
        await until(lambda: _is(jobs, "lost", JobState.COMPLETED))
    assert work.begun == ["count"]


async def test_when_its_time_is_over_a_job_is_stopped_and_forgotten(url: str, tmp_path: Path) -> None:
    work = Work()
    async with working(url, work, seconds=1) as jobs:
        number = (await jobs.start("count", ANNA, b"", repeatable=True)).id
        await until(lambda: work.stopped == ["count"])
        assert await state(jobs, number) is None
        await until(lambda: _rows(tmp_path / "tasks.db") == 0)


async def test_a_job_that_no_key_opens_has_failed(url: str) -> None:
    work = Work()
    async with working(url, work) as jobs:
        number = (await jobs.start("count", ANNA, b"", repeatable=True)).id
        await until(lambda: work.begun == ["count"])
    ring = Seal([b"another secret, long enough for a key"])
    async with working(url, work, ring):
        store = JobStore(url, "shop")
        await until(lambda: _job_state(store, number) is JobState.FAILED)
        store.close()
    assert work.begun == ["count"]


async def test_a_fault_of_a_job_is_told_by_its_reference_alone(url: str, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(*_: Any) -> RunResult:
        raise RuntimeError("the password is swordfish")

    async with working(url, broken) as jobs:
        number = (await jobs.start("count", ANNA, b"", repeatable=True)).id
        await until(lambda: _is(jobs, number, JobState.FAILED))
        job = await jobs.get(number, lambda _: ANNA)
    assert job is not None
    assert job.message is not None
    assert job.message.startswith("Internal error. Reference: ")
    assert job.message.rpartition(" ")[2] in caplog.text


async def test_two_servers_of_one_service_in_a_process_share_its_jobs(url: str) -> None:
    first, second = Work(), Work()
    first.gate.set()
    second.gate.set()
    async with working(url, first) as jobs, working(url, second) as others:
        numbers = [(await each.start("count", ANNA, b"", repeatable=True)).id for each in (jobs, others)]
        for number in numbers:
            await until(lambda number=number: _is(jobs, number, JobState.COMPLETED))


async def _is(jobs: Jobs, number: str, wanted: JobState) -> bool:
    return await state(jobs, number) is wanted


def _job_state(store: JobStore, number: str) -> JobState | None:
    job = store.get(number)
    return job.state if job is not None else None


def _rows(file: Path) -> int:
    with sqlite3.connect(file) as connection:
        return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES)


TABLES = ("jobs", "workflow_status")
