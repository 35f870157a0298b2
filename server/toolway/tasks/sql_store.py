"""Where jobs are kept: one table, in SQLite or PostgreSQL.

Every change says in its WHERE what it takes for granted, so that of two processes that decide differently one comes
too late and changes nothing. Methods block; they are called in threads.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from toolway.errors import ConfigurationError
from toolway.tasks.keys import keep_key, key_file
from toolway.tasks.liveness import DatabasePresence, FilePresence, Presence
from toolway.tasks.model import Job, JobState, RunResult, TaskRequest
from toolway.tasks.sql_schema import SCHEMA, Tables

__all__ = ["CanRun", "Claim", "JobStore", "TaskVersion", "now"]

Merge: TypeAlias = Callable[[bytes, Mapping[str, Any]], bytes]
"""Adds answers to those that are sealed already."""

CanRun: TypeAlias = Callable[[str], bool]
"""Returns whether this worker has a tool, given by its name."""

_WAITING = (JobState.WORKING, JobState.INPUT_REQUIRED)
_MOST_AT_ONCE = 500
_BUSY_SECONDS = 30
_MOST_ATTEMPTS = 3
_INTERRUPTED = "The worker was interrupted. The task may or may not have completed (unknown), so it was not retried."
_EXHAUSTED = f"The worker running this task ended unexpectedly {_MOST_ATTEMPTS} times, so it is not retried again."


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a worker may run now."""

    id: str
    tool: str
    call: bytes
    repeatable: bool
    answers: bytes | None


class TaskVersion(NamedTuple):
    """What differs as soon as anything of a job does."""

    updated: int
    state: JobState
    message: str | None


class JobStore:
    """The jobs of one service.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...``.
        service: whose jobs these are; several services may share a store.
        title: of the application, recorded with its jobs.

    Raises:
        ConfigurationError: the URL names no store that is known, or the store cannot be opened, or it has a schema
            that this release does not understand.
    """

    def __init__(self, url: str, service: str, title: str = "") -> None:
        self.url = _url(url)
        self.file = Path(self.url.database or "") if self.url.get_backend_name() == "sqlite" else None
        self.service = service
        self.title = title
        self._engine = _engine(self.url)
        self._tables = Tables(SCHEMA if self.file is None else None)
        self._jobs = self._tables.jobs
        self.key: bytes | None = None
        """The key in the file beside the store, if it is kept there."""
        try:
            self._set_up()
        except (SQLAlchemyError, OSError, ConfigurationError) as error:
            self._engine.dispose()
            reason = getattr(error, "orig", None) or error
            place = self.url.render_as_string(hide_password=True)
            raise ConfigurationError(f"the task store {place!r} cannot be opened: {reason}") from error

    def presence(self) -> Presence:
        """The locks that tell which workers on this store are alive."""
        if self.file is None:
            return DatabasePresence(self._engine)
        return FilePresence(self.file.with_name(self.file.name + ".workers"))

    @property
    def is_deleted(self) -> bool:
        """Whether the file that was opened is no longer at its path."""
        return self.file is not None and _identity(self.file) != self._identity

    def renew(self) -> bool:
        """Create the store again if its file was deleted while it was open; return whether it was."""
        if self.file is None or not self.is_deleted:
            return False
        self._engine.dispose()
        if not self.file.exists():  # what is left of a write-ahead log belongs to the old file
            for suffix in ("-wal", "-shm"):
                self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        self._set_up()
        if self.key is not None:
            keep_key(key_file(self.file), self.key)
        return True

    def close(self) -> None:
        self._engine.dispose()

    def add(self, number: str, order: TaskRequest, milliseconds: int, message: str | None = None) -> Job:
        """Keep a new job for so long."""
        moment = now()
        expires = moment + milliseconds
        values = {
            "id": number,
            "service": self.service,
            "title": self.title,
            "tool": order.tool,
            "caller": order.caller,
            "identity": order.identity,
            "call": order.call,
            "repeatable": order.repeatable,
            "state": JobState.WORKING,
            "message": message,
            "round": 0,
            "created": moment,
            "updated": moment,
            "expires": expires,
        }
        with self._engine.begin() as connection:
            connection.execute(sa.insert(self._jobs).values(values))
        return Job(
            number,
            order.tool,
            order.caller,
            JobState.WORKING,
            message,
            moment,
            moment,
            expires,
            None,
            {},
            order.identity,
        )

    def get(self, number: str) -> Job | None:
        """Return a job, unless there is none or its time is over."""
        jobs = self._jobs.c
        wanted = sa.select(self._jobs).where(jobs.id == number, jobs.service == self.service, jobs.expires > now())
        with self._engine.connect() as connection:
            row = connection.execute(wanted).mappings().one_or_none()
        return _job(row) if row is not None else None

    def unfinished(self, caller: str) -> int:
        """How many jobs of a caller have not come to their end."""
        jobs = self._jobs.c
        wanted = sa.select(sa.func.count()).where(
            jobs.service == self.service, jobs.state.in_(_WAITING), jobs.caller == caller, jobs.expires > now()
        )
        with self._engine.connect() as connection:
            return connection.scalar(wanted) or 0

    def has_work(self, can_run: CanRun) -> bool:
        """Return whether a worker has something to do: jobs to run or to free, or jobs to remove."""
        jobs = self._jobs.c
        wanted = sa.select(sa.literal(1)).where(jobs.service == self.service, jobs.expires <= now()).limit(1)
        with self._engine.connect() as connection:
            if connection.scalar(wanted) is not None:
                return True
        return bool(self.holders() or self.waiting(now(), can_run, 1))

    def titles(self) -> list[str]:
        """Return the titles of other applications with jobs in this queue."""
        jobs = self._jobs.c
        wanted = sa.select(jobs.title).distinct().where(jobs.service == self.service, jobs.expires > now())
        with self._engine.connect() as connection:
            return sorted(title for title in connection.scalars(wanted) if title and title != self.title)

    def claim(self, number: str, turn: int, worker: str, can_run: CanRun) -> Claim | None:
        """Take a job to run it, which counts as an attempt; None where another worker has it, or has to have it."""
        jobs = self._jobs.c
        here = (jobs.id == number, jobs.round == turn, jobs.state == JobState.WORKING, jobs.worker.is_(None))
        take = sa.update(self._jobs).where(*here).values(worker=worker, attempts=jobs.attempts + 1)
        with self._engine.begin() as connection:
            tool = connection.scalar(sa.select(jobs.tool).where(*here))
            if tool is None or not can_run(tool):
                return None
            row = connection.execute(take.returning(jobs.call, jobs.repeatable, jobs.answers)).one_or_none()
        return Claim(number, tool, bytes(row.call), row.repeatable, row.answers) if row is not None else None

    def holders(self) -> set[str]:
        """Return the workers that have claimed jobs and not finished them."""
        jobs = self._jobs.c
        wanted = sa.select(jobs.worker).distinct()
        wanted = wanted.where(jobs.service == self.service, jobs.state == JobState.WORKING, jobs.worker.is_not(None))
        with self._engine.connect() as connection:
            return set(connection.scalars(wanted))

    def release(self, worker: str) -> None:
        """Free the jobs of a worker that is dead, and end those that may not run again, or have run too often."""
        jobs = self._jobs.c
        held = sa.update(self._jobs).where(jobs.worker == worker, jobs.state == JobState.WORKING)
        with self._engine.begin() as connection:
            connection.execute(held.where(sa.not_(jobs.repeatable)).values(_failed(_INTERRUPTED)))
            connection.execute(held.where(jobs.attempts >= _MOST_ATTEMPTS).values(_failed(_EXHAUSTED)))
            connection.execute(held.values(worker=None))

    def note(self, number: str, worker: str, message: str) -> None:
        """Say how far a job is."""
        change = self._held(number, worker).values(message=message, updated=now())
        with self._engine.begin() as connection:
            connection.execute(change)

    def finish(self, number: str, worker: str, ending: RunResult, memory: bytes | None = None) -> bool:
        """Write down how a run came to its end; False where somebody else has ended the job, or runs it by now."""
        values: dict[str, Any] = {
            "state": ending.state,
            "result": ending.result,
            "message": ending.message,
            "updated": now(),
        }
        if ending.state is JobState.INPUT_REQUIRED:
            values |= {"questions": json.dumps(ending.questions), "answers": memory}
        with self._engine.begin() as connection:
            return connection.execute(self._held(number, worker).values(values)).rowcount > 0

    def answer(self, number: str, given: Mapping[str, Any], merged: Merge) -> int | None:
        """Take answers to a job's open questions; others are ignored.

        Returns:
            The number of the next round, once everything is answered.
        """
        jobs = self._jobs.c
        asked = sa.select(jobs.questions, jobs.answers, jobs.round).where(
            jobs.id == number, jobs.state == JobState.INPUT_REQUIRED
        )
        with self._engine.begin() as connection:
            row = connection.execute(asked.with_for_update()).one_or_none()
            questions: dict[str, Any] = json.loads(row.questions) if row is not None else {}
            known = {key: given[key] for key in questions if key in given}
            if row is None or not known:
                return None
            left = {key: question for key, question in questions.items() if key not in known}
            values: dict[str, Any] = {"questions": json.dumps(left), "answers": merged(row.answers, known)}
            if not left:
                values |= {"state": JobState.WORKING, "round": row.round + 1, "worker": None, "attempts": 0}
            change = sa.update(self._jobs).where(jobs.id == number).values(updated=now(), **values)
            connection.execute(change)
            return None if left else row.round + 1

    def interrupt(self, number: str, worker: str) -> None:
        """Give up a job whose worker shuts down: free it for another worker, or end it if it may not run again."""
        jobs, held = self._jobs.c, self._held(number, worker)
        with self._engine.begin() as connection:
            connection.execute(held.where(sa.not_(jobs.repeatable)).values(_failed(_INTERRUPTED)))
            connection.execute(held.values(worker=None, attempts=jobs.attempts - 1))

    def cancel(self, number: str) -> bool:
        """End a job that has not come to its end; False where it has."""
        jobs = self._jobs.c
        change = sa.update(self._jobs).where(jobs.id == number, jobs.state.in_(_WAITING))
        with self._engine.begin() as connection:
            values = {"state": JobState.CANCELLED, "message": None, "updated": now()}
            return connection.execute(change.values(values)).rowcount > 0

    def held(self, worker: str, numbers: Collection[str]) -> set[str]:
        """Of some jobs that a worker runs, those that are still its own to run."""
        jobs = self._jobs.c
        wanted = sa.select(jobs.id).where(
            jobs.id.in_(numbers), jobs.worker == worker, jobs.state == JobState.WORKING, jobs.expires > now()
        )
        with self._engine.connect() as connection:
            return set(connection.scalars(wanted))

    def stamps(self, numbers: Sequence[str]) -> dict[str, TaskVersion]:
        """How some jobs stand; nothing of those whose time is over."""
        jobs = self._jobs.c
        found: dict[str, TaskVersion] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(numbers), _MOST_AT_ONCE):
                some = jobs.id.in_(numbers[start : start + _MOST_AT_ONCE])
                wanted = sa.select(jobs.id, jobs.updated, jobs.state, jobs.message).where(some, jobs.expires > now())
                rows = connection.execute(wanted)
                found |= {row.id: TaskVersion(row.updated, JobState(row.state), row.message) for row in rows}
        return found

    def waiting(self, older_than: int, can_run: CanRun, most: int) -> list[tuple[str, int]]:
        """Return jobs without a worker that this one can run: id and round, the oldest first."""
        jobs = self._jobs.c
        is_waiting = (
            jobs.service == self.service,
            jobs.state == JobState.WORKING,
            jobs.worker.is_(None),
            jobs.updated <= older_than,
            jobs.expires > now(),
        )
        with self._engine.connect() as connection:
            tools = connection.scalars(sa.select(jobs.tool).distinct().where(*is_waiting))
            known = [tool for tool in tools if can_run(tool)]
            if not known:
                return []
            wanted = sa.select(jobs.id, jobs.round).where(*is_waiting, jobs.tool.in_(known))
            return [(row.id, row.round) for row in connection.execute(wanted.order_by(jobs.updated).limit(most))]

    def expired(self) -> list[tuple[str, int]]:
        """The jobs whose time is over, each with the number of its last round."""
        jobs = self._jobs.c
        wanted = sa.select(jobs.id, jobs.round).where(jobs.service == self.service, jobs.expires <= now())
        with self._engine.connect() as connection:
            return [(row.id, row.round) for row in connection.execute(wanted.limit(_MOST_AT_ONCE))]

    def remove(self, numbers: Collection[str]) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(self._jobs).where(self._jobs.c.id.in_(numbers)))

    def _held(self, number: str, worker: str) -> sa.Update:
        jobs = self._jobs.c
        return sa.update(self._jobs).where(jobs.id == number, jobs.worker == worker, jobs.state == JobState.WORKING)

    def _set_up(self) -> None:
        if self.file is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        with self._engine.begin() as connection:
            self._tables.prepare(connection, self.service)
        self._identity = _identity(self.file) if self.file is not None else None


def _identity(file: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one at the same path; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _failed(message: str) -> dict[str, Any]:
    return {"state": JobState.FAILED, "message": message, "result": None, "updated": now()}


def _job(row: Mapping[Any, Any]) -> Job:
    return Job(
        id=row["id"],
        tool=row["tool"],
        caller=row["caller"],
        state=JobState(row["state"]),
        message=row["message"],
        created=row["created"],
        updated=row["updated"],
        expires=row["expires"],
        result=row["result"],
        questions=json.loads(row["questions"]) if row["questions"] else {},
        identity=row["identity"],
        is_claimed=row["worker"] is not None,
    )


def _url(text: str) -> sa.URL:
    """Read a store's URL; PostgreSQL is spoken with the driver that DBOS brings."""
    try:
        url = sa.make_url(text)
    except ArgumentError:
        url = None
    backend = url.get_backend_name() if url is not None else ""
    if url is None or backend not in {"sqlite", "postgresql"} or not url.database or url.database == ":memory:":
        raise ConfigurationError(
            "TOOLWAY_STORE_URL: expected sqlite:///path/to/file.db or postgresql://user@host/database"
        )
    return url.set(drivername="sqlite" if backend == "sqlite" else "postgresql+psycopg")


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True, pool_size=5)
    engine = sa.create_engine(url)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
        _write_ahead(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A transaction that begins with reading could not wait for another writer when it comes to write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Have a file keep a write-ahead log, as it does for good; here SQLite does not wait for others by itself."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
