"""A store of tasks in one table of SQLite or PostgreSQL.

Every change repeats its preconditions in its WHERE clause: of two processes that decide differently, the later one
changes nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from toolway.errors import ConfigurationError
from toolway.tasks.keys import key_path, write_key_once
from toolway.tasks.liveness import FileLiveness, PostgresLiveness
from toolway.tasks.sql_engine import create_store_engine, parse_store_url
from toolway.tasks.sql_schema import SCHEMA, Tables
from toolway.tasks.store import CanRun, Liveness, MergeAnswers, StoreUnavailableError
from toolway.tasks.task import Claim, RunResult, Task, TaskRequest, TaskState, TaskVersion

__all__ = ["SqlStore"]

_UNFINISHED = (TaskState.WORKING, TaskState.INPUT_REQUIRED)
_BATCH = 500
_MAX_ATTEMPTS = 3
_INTERRUPTED = "The worker was interrupted. The task may or may not have completed, so it was not retried."
_EXHAUSTED = f"The worker running this task ended unexpectedly {_MAX_ATTEMPTS} times, so it is not retried again."


class SqlStore:
    """The tasks of one queue; several queues may share a database.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...``.
        queue: the name of the queue.
        title: the application's title, recorded with its tasks.

    Raises:
        ConfigurationError: the URL names no database that can store tasks, the database cannot be opened, or its schema
            is not one of this release.
    """

    def __init__(self, url: str, queue: str, title: str = "") -> None:
        self.url = parse_store_url(url)
        self.file = Path(self.url.database or "") if self.url.get_backend_name() == "sqlite" else None
        self.file_key: bytes | None = None
        """The key in the file next to the store, if there is one: `recreate` writes it again."""
        self._queue = queue
        self._title = title
        self._engine = create_store_engine(self.url)
        self._tables = Tables(SCHEMA if self.file is None else None)
        self._table = self._tables.tasks
        try:
            self._prepare()
        except (SQLAlchemyError, OSError, ConfigurationError) as error:
            self._engine.dispose()
            reason = getattr(error, "orig", None) or error
            shown = self.url.render_as_string(hide_password=True)
            raise ConfigurationError(f"the task store {shown!r} cannot be opened: {reason}") from error

    def _prepare(self) -> None:
        if self.file is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        with self._engine.begin() as connection:
            self._tables.prepare(connection, self._queue)
        self._file_identity = self._read_file_identity()

    def _read_file_identity(self) -> tuple[int, int] | None:
        """Return what distinguishes the file from another one at the same path; None if it does not exist."""
        try:
            status = self.file.stat() if self.file is not None else None
        except OSError:
            return None
        return (status.st_dev, status.st_ino) if status is not None else None

    @property
    def location(self) -> str:
        return str(self.file or self.url.render_as_string(hide_password=True))

    @property
    def is_deleted(self) -> bool:
        return self._read_file_identity() != self._file_identity

    def recreate(self) -> bool:
        if self.file is None or not self.is_deleted:
            return False
        self._engine.dispose()
        if not self.file.exists():  # a remaining write-ahead log belongs to the deleted file
            for suffix in ("-wal", "-shm"):
                self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        self._prepare()
        if self.file_key is not None:
            write_key_once(key_path(self.file), self.file_key)
        return True

    def open_liveness(self) -> Liveness:
        if self.file is None:
            return PostgresLiveness(self._engine)
        return FileLiveness(self.file.with_name(self.file.name + ".workers"))

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Generator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreUnavailableError(str(error)) from error

    # Tasks and their callers

    def add(self, task_id: str, request: TaskRequest, milliseconds: int, message: str | None = None) -> Task:
        moment = _now()
        row = {
            "id": task_id,
            "service": self._queue,
            "title": self._title,
            "tool": request.tool,
            "caller": request.caller,
            "identity": request.identity,
            "call": request.call,
            "repeatable": request.repeatable,
            "state": TaskState.WORKING,
            "message": message,
            "round": 0,
            "created": moment,
            "updated": moment,
            "expires": moment + milliseconds,
        }
        with self._transaction() as connection:
            connection.execute(sa.insert(self._table).values(row))
        return _task_from({**row, "result": None, "questions": None, "worker": None})

    def get(self, task_id: str) -> Task | None:
        tasks = self._table.c
        query = sa.select(self._table).where(tasks.id == task_id, tasks.service == self._queue, tasks.expires > _now())
        with self._transaction() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return _task_from(row) if row is not None else None

    def count_unfinished(self, caller: str) -> int:
        tasks = self._table.c
        query = sa.select(sa.func.count()).where(
            tasks.service == self._queue, tasks.state.in_(_UNFINISHED), tasks.caller == caller, tasks.expires > _now()
        )
        with self._transaction() as connection:
            return connection.scalar(query) or 0

    def list_other_titles(self) -> list[str]:
        tasks = self._table.c
        query = sa.select(tasks.title).distinct().where(tasks.service == self._queue, tasks.expires > _now())
        with self._transaction() as connection:
            return sorted(title for title in connection.scalars(query) if title and title != self._title)

    def answer(self, task_id: str, answers: Mapping[str, Any], merge: MergeAnswers) -> int | None:
        tasks = self._table.c
        query = sa.select(tasks.questions, tasks.answers, tasks.round).where(
            tasks.id == task_id, tasks.state == TaskState.INPUT_REQUIRED
        )
        with self._transaction() as connection:
            row = connection.execute(query.with_for_update()).one_or_none()
            questions: dict[str, Any] = json.loads(row.questions) if row is not None else {}
            known = {key: answers[key] for key in questions if key in answers}
            if row is None or not known:
                return None
            unanswered = {key: question for key, question in questions.items() if key not in known}
            values: dict[str, Any] = {"questions": json.dumps(unanswered), "answers": merge(row.answers, known)}
            if not unanswered:
                values |= {"state": TaskState.WORKING, "round": row.round + 1, "worker": None, "attempts": 0}
            connection.execute(sa.update(self._table).where(tasks.id == task_id).values(updated=_now(), **values))
            return None if unanswered else row.round + 1

    def cancel(self, task_id: str) -> bool:
        tasks = self._table.c
        change = sa.update(self._table).where(tasks.id == task_id, tasks.state.in_(_UNFINISHED))
        values = {"state": TaskState.CANCELLED, "message": None, "updated": _now()}
        with self._transaction() as connection:
            return connection.execute(change.values(values)).rowcount > 0

    def read_versions(self, task_ids: Sequence[str]) -> dict[str, TaskVersion]:
        tasks = self._table.c
        columns = sa.select(tasks.id, tasks.updated, tasks.state, tasks.message)
        versions: dict[str, TaskVersion] = {}
        with self._transaction() as connection:
            for start in range(0, len(task_ids), _BATCH):
                batch = tasks.id.in_(task_ids[start : start + _BATCH])
                for row in connection.execute(columns.where(batch, tasks.expires > _now())):
                    versions[row.id] = TaskVersion(row.updated, TaskState(row.state), row.message)
        return versions

    # Tasks and their workers

    def _held(self, task_id: str, worker: str) -> sa.Update:
        """Return a statement that changes a task only if a worker holds it."""
        tasks = self._table.c
        return sa.update(self._table).where(
            tasks.id == task_id, tasks.worker == worker, tasks.state == TaskState.WORKING
        )

    def claim(self, task_id: str, round_number: int, worker: str, can_run: CanRun) -> Claim | None:
        tasks = self._table.c
        is_free = (
            tasks.id == task_id,
            tasks.round == round_number,
            tasks.state == TaskState.WORKING,
            tasks.worker.is_(None),
        )
        take = sa.update(self._table).where(*is_free).values(worker=worker, attempts=tasks.attempts + 1)
        with self._transaction() as connection:
            tool = connection.scalar(sa.select(tasks.tool).where(*is_free))
            if tool is None or not can_run(tool):
                return None
            row = connection.execute(take.returning(tasks.call, tasks.repeatable, tasks.answers)).one_or_none()
        return Claim(task_id, tool, bytes(row.call), row.repeatable, row.answers) if row is not None else None

    def set_message(self, task_id: str, worker: str, message: str) -> None:
        with self._transaction() as connection:
            connection.execute(self._held(task_id, worker).values(message=message, updated=_now()))

    def finish(self, task_id: str, worker: str, result: RunResult, resume_state: bytes | None = None) -> bool:
        values: dict[str, Any] = {
            "state": result.state,
            "result": result.result,
            "message": result.message,
            "updated": _now(),
        }
        if result.state is TaskState.INPUT_REQUIRED:
            values |= {"questions": json.dumps(result.questions), "answers": resume_state}
        with self._transaction() as connection:
            return connection.execute(self._held(task_id, worker).values(values)).rowcount > 0

    def interrupt(self, task_id: str, worker: str) -> None:
        tasks, held = self._table.c, self._held(task_id, worker)
        with self._transaction() as connection:
            connection.execute(held.where(sa.not_(tasks.repeatable)).values(_failed_with(_INTERRUPTED)))
            connection.execute(held.values(worker=None, attempts=tasks.attempts - 1))

    def filter_held(self, worker: str, task_ids: Collection[str]) -> set[str]:
        tasks = self._table.c
        query = sa.select(tasks.id).where(
            tasks.id.in_(task_ids), tasks.worker == worker, tasks.state == TaskState.WORKING, tasks.expires > _now()
        )
        with self._transaction() as connection:
            return set(connection.scalars(query))

    def list_holders(self) -> set[str]:
        tasks = self._table.c
        query = sa.select(tasks.worker).distinct()
        query = query.where(tasks.service == self._queue, tasks.state == TaskState.WORKING, tasks.worker.is_not(None))
        with self._transaction() as connection:
            return set(connection.scalars(query))

    def release(self, worker: str) -> None:
        tasks = self._table.c
        held = sa.update(self._table).where(tasks.worker == worker, tasks.state == TaskState.WORKING)
        with self._transaction() as connection:
            connection.execute(held.where(sa.not_(tasks.repeatable)).values(_failed_with(_INTERRUPTED)))
            connection.execute(held.where(tasks.attempts >= _MAX_ATTEMPTS).values(_failed_with(_EXHAUSTED)))
            connection.execute(held.values(worker=None))

    def list_waiting(self, idle_ms: int, can_run: CanRun, limit: int) -> list[tuple[str, int]]:
        tasks, moment = self._table.c, _now()
        is_waiting = (
            tasks.service == self._queue,
            tasks.state == TaskState.WORKING,
            tasks.worker.is_(None),
            tasks.updated <= moment - idle_ms,
            tasks.expires > moment,
        )
        with self._transaction() as connection:
            tools = connection.scalars(sa.select(tasks.tool).distinct().where(*is_waiting))
            known = [tool for tool in tools if can_run(tool)]
            if not known:
                return []
            query = sa.select(tasks.id, tasks.round).where(*is_waiting, tasks.tool.in_(known))
            return [(row.id, row.round) for row in connection.execute(query.order_by(tasks.updated).limit(limit))]

    def list_expired(self) -> list[tuple[str, int]]:
        tasks = self._table.c
        query = sa.select(tasks.id, tasks.round).where(tasks.service == self._queue, tasks.expires <= _now())
        with self._transaction() as connection:
            return [(row.id, row.round) for row in connection.execute(query.limit(_BATCH))]

    def remove(self, task_ids: Collection[str]) -> None:
        with self._transaction() as connection:
            connection.execute(sa.delete(self._table).where(self._table.c.id.in_(task_ids)))


def _now() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _failed_with(message: str) -> dict[str, Any]:
    return {"state": TaskState.FAILED, "message": message, "result": None, "updated": _now()}


def _task_from(row: Mapping[Any, Any]) -> Task:
    return Task(
        id=row["id"],
        tool=row["tool"],
        caller=row["caller"],
        state=TaskState(row["state"]),
        message=row["message"],
        created=row["created"],
        updated=row["updated"],
        expires=row["expires"],
        result=row["result"],
        questions=json.loads(row["questions"]) if row["questions"] else {},
        identity=row["identity"],
        is_claimed=row["worker"] is not None,
    )
