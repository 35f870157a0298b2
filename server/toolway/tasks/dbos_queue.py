"""The queue that hands jobs to workers: DBOS, and all that toolway asks of it.

DBOS gives each job to one worker as soon as one is free. Jobs, their workers and their results are in toolway's own
table; DBOS only carries their ids. A job that gets lost on the way, as its worker died or could not run it, is found in
that table. DBOS is one per process, so its instance is shared here.
https://docs.dbos.dev/python/reference/dbos-class
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from dbos import DBOS, SetWorkflowID
from dbos import _dbos as internals  # pyright: ignore[reportPrivateUsage]

from toolway.tasks.sql_schema import SCHEMA

__all__ = ["JobQueue", "QueueBusyError", "Run", "StoppedError"]

Run = Callable[[str, int], None]
"""Runs a round of a job to its end, in a thread of DBOS; raises `StoppedError` where it has to be left unfinished."""

_VERSION = "1"
"""What DBOS calls the version of the application: it hands out only what is of its own, and an id has no versions."""

_POLL_SECONDS = 0.2

_launching = threading.Lock()


class StoppedError(BaseException):
    """A run was left unfinished: no Exception, as DBOS would take the job for done."""


class QueueBusyError(Exception):
    """DBOS serves something else in this process already; the text says what, and may go to callers."""

    def __init__(self, whom: str) -> None:
        super().__init__(f"DBOS runs in this process already, for {whom}")


class JobQueue:
    """The jobs of one service, handed out to the workers on one store.

    Args:
        url: the store.
        service: whose jobs are run here.
        title: of the application whose tools they call.
        worker: this worker's name; no other has it, now or later.
        at_once: how many jobs may run here at the same time.
        run: runs a job.
    """

    launched: ClassVar[JobQueue | None] = None
    """The one that DBOS serves in this process."""

    def __init__(self, url: sa.URL, service: str, title: str, worker: str, at_once: int, run: Run) -> None:
        self._url = url
        self._name = f"toolway.{service}"  # names that begin with _dbos_ are DBOS's own
        self._worker = worker
        self._at_once = at_once
        self.run = run
        self.key = (url, service, title)

    @property
    def is_up(self) -> bool:
        """Whether jobs of this service are handed out in this process."""
        return JobQueue.launched is not None and JobQueue.launched.key == self.key

    def start(self) -> None:
        """Begin to hand out jobs, unless another one of the same service does so here already; blocks for a moment.

        Not to be called in a thread that runs an event loop: DBOS would make itself at home there.

        Raises:
            QueueBusyError: DBOS is in use in this process, for something else.
        """
        with _launching:
            if self.is_up:
                return
            # There is no public way to ask; `DBOS(...)` would hand out what somebody else has made.
            if internals._dbos_global_instance is not None:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
                own = JobQueue.launched is None
                raise QueueBusyError("the application itself" if own else "the tasks of another application")
            self._launch()
            JobQueue.launched = self

    def _launch(self) -> None:
        DBOS(
            config={
                "name": "toolway",
                "system_database_url": self._url.render_as_string(hide_password=False),
                "dbos_system_schema": f"{SCHEMA}_dbos",
                "executor_id": self._worker,
                "application_version": _VERSION,
                "log_level": "WARNING",
                "notification_listener_polling_interval_sec": _POLL_SECONDS,
                "db_engine_kwargs": _engine_options(self._url),
            }
        )
        try:
            DBOS.listen_queues([self._name])
            DBOS.launch()
            DBOS.register_queue(
                self._name,
                worker_concurrency=self._at_once,
                polling_interval_sec=_POLL_SECONDS,
                on_conflict="always_update",
            )
        except BaseException:
            DBOS.destroy()
            raise

    def stop(self) -> None:
        """Hand out no more jobs, and forget about those that run; blocks up to a second."""
        with _launching:
            if JobQueue.launched is self:
                JobQueue.launched = None
                DBOS.destroy()

    def put(self, number: str, turn: int) -> None:
        """Hand a job out, once: the same round of the same job is not handed out again."""
        with SetWorkflowID(_workflow(number, turn)):
            DBOS.enqueue_workflow(self._name, _job, number, turn)

    def forget(self, jobs: Sequence[tuple[str, int]]) -> None:
        """Remove jobs, every round of theirs."""
        names = [_workflow(number, turn) for number, last in jobs for turn in range(last + 1)]
        if names:
            DBOS.delete_workflows(names)


class _Connection(sqlite3.Connection):
    """One with `unixepoch('subsec')`, which DBOS asks for from Python 3.12 on, and SQLite has from 3.42 on."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if sqlite3.sqlite_version_info < (3, 42):
            self.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(_: str) -> float:
    return round(time.time(), 3)


def _engine_options(url: sa.URL) -> dict[str, Any]:
    return {"connect_args": {"factory": _Connection}} if url.get_backend_name() == "sqlite" else {}


def _workflow(number: str, turn: int) -> str:
    return f"{number}.{turn}"


@DBOS.workflow(name="toolway.job")
def _job(number: str, turn: int) -> None:
    queue = JobQueue.launched
    if queue is None:
        raise StoppedError
    queue.run(number, turn)
