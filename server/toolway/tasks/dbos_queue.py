"""A queue on DBOS, which delivers each entry to one worker as soon as a worker is free.

DBOS has only the ids of tasks; their calls and results are in toolway's own store. A process can have one DBOS
instance, shared by all applications whose tasks are in the same queue of the same store.
https://docs.dbos.dev/python/reference/dbos-class
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from dbos import DBOS, SetWorkflowID
from dbos import _dbos as internals  # pyright: ignore[reportPrivateUsage]

from toolway.tasks.queue import QueueBusyError, RunTask, StoppedError
from toolway.tasks.sql_schema import SCHEMA

__all__ = ["DbosQueue"]

_VERSION = "1"
"""DBOS delivers only entries of its own application version; ids of tasks are the same in all releases."""
_POLL_SECONDS = 0.2

_launching = threading.Lock()
"""Guards the one DBOS instance of the process."""


class DbosQueue:
    """The queue of one application's tasks.

    Args:
        url: the store.
        name: the queue, as the setting ``task_queue`` names it.
        title: the application whose tools the tasks call.
        limit: how many tasks may run in this process at the same time.
    """

    def __init__(self, url: sa.URL, name: str, title: str, limit: int) -> None:
        self._url = url
        self._name = f"toolway.{name}"  # DBOS reserves names that begin with _dbos_
        self._limit = limit
        self.run: RunTask | None = None
        self.key = (url, name, title)

    @property
    def is_running(self) -> bool:
        instance = _dbos_of_toolway()
        return instance is not None and instance.is_ready and instance.queue.key == self.key

    def start(self, worker: str, run: RunTask) -> None:
        """Start DBOS. Do not call this in the thread of an event loop, which DBOS would use for itself."""
        with _launching:
            if self.is_running:
                return
            if _dbos_of_toolway() is not None:
                raise QueueBusyError("DBOS already runs the tasks of another application in this process")
            if internals._dbos_global_instance is not None:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
                raise QueueBusyError("the application already uses DBOS in this process")
            self.run = run
            self._launch(worker)

    def _launch(self, worker: str) -> None:
        is_sqlite = self._url.get_backend_name() == "sqlite"
        created = _ToolwayDbos(
            config={
                "name": "toolway",
                "system_database_url": self._url.render_as_string(hide_password=False),
                "dbos_system_schema": f"{SCHEMA}_dbos",
                "executor_id": worker,
                "application_version": _VERSION,
                "log_level": "WARNING",
                "notification_listener_polling_interval_sec": _POLL_SECONDS,
                "db_engine_kwargs": {"connect_args": {"factory": _Connection}} if is_sqlite else {},
            }
        )
        instance = cast("_ToolwayDbos", created)  # DBOS annotates its constructor as returning a DBOS
        instance.queue = self
        try:
            DBOS.listen_queues([self._name])
            DBOS.launch()
            DBOS.register_queue(
                self._name,
                worker_concurrency=self._limit,
                polling_interval_sec=_POLL_SECONDS,
                on_conflict="always_update",
            )
        except BaseException:
            DBOS.destroy()
            raise
        instance.is_ready = True

    def stop(self) -> None:
        """Stop DBOS; blocks up to a second."""
        with _launching:
            instance = _dbos_of_toolway()
            if instance is not None and instance.queue is self:
                instance.is_ready = False
                DBOS.destroy()

    def put(self, task_id: str, round_number: int) -> None:
        with SetWorkflowID(_workflow_id(task_id, round_number)):
            DBOS.enqueue_workflow(self._name, _run_task, task_id, round_number)

    def forget(self, tasks: Sequence[tuple[str, int]]) -> None:
        ids = [_workflow_id(task_id, number) for task_id, last in tasks for number in range(last + 1)]
        if ids:
            DBOS.delete_workflows(ids)


class _ToolwayDbos(DBOS):
    """The DBOS instance of a process, if toolway has created it."""

    queue: DbosQueue
    is_ready = False


def _dbos_of_toolway() -> _ToolwayDbos | None:
    """Return the DBOS instance that toolway has created; DBOS has no public way to ask for its instance."""
    instance = internals._dbos_global_instance  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return instance if isinstance(instance, _ToolwayDbos) else None


@DBOS.workflow(name="toolway.job")
def _run_task(task_id: str, round_number: int) -> None:
    instance = _dbos_of_toolway()
    if instance is None or instance.queue.run is None:
        raise StoppedError
    instance.queue.run(task_id, round_number)


def _workflow_id(task_id: str, round_number: int) -> str:
    return f"{task_id}.{round_number}"


class _Connection(sqlite3.Connection):
    """A connection with ``unixepoch('subsec')``, which DBOS uses on Python 3.12+ and SQLite has since 3.42."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if sqlite3.sqlite_version_info < (3, 42):
            self.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(_: str) -> float:
    return round(time.time(), 3)
