"""Liveness of workers, by locks that the operating system or PostgreSQL releases when a process ends.

No clocks are compared. A worker that loses its lock acquires it again at once, so others check several times before
they consider it dead.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from toolway.tasks.store import StoreUnavailableError

__all__ = ["FileLiveness", "PostgresLiveness"]


class FileLiveness:
    """Locks of files next to the store, for workers on one machine.

    Each file is an empty SQLite database, locked by an exclusive transaction. That works alike on every system, and
    unlike `flock` it is not inherited by child processes, which may outlive a worker.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: tuple[sqlite3.Connection, Path] | None = None

    def acquire(self, worker: str) -> None:
        if self._held is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / worker
        self._held = _lock_file(path), path

    def renew(self) -> None:
        """Lock the file again if it was deleted, which is the only way to lose its lock."""
        if self._held is not None and not self._held[1].exists():
            worker = self._held[1].name
            self.release()
            self.acquire(worker)

    def is_alive(self, worker: str) -> bool:
        path = self._folder / worker
        if not path.exists():
            return False
        try:
            _lock_file(path).close()
        except sqlite3.OperationalError:
            return True
        path.unlink(missing_ok=True)
        return False

    def release(self) -> None:
        if self._held is not None:
            connection, path = self._held
            self._held = None
            connection.close()
            path.unlink(missing_ok=True)


def _lock_file(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        connection.close()
        raise
    return connection


_HOLDS_LOCK = sa.text("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())")


class PostgresLiveness:
    """Advisory locks of PostgreSQL sessions, for workers on any number of machines.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._held: sa.Connection | None = None
        self._worker = ""

    def acquire(self, worker: str) -> None:
        self._worker = worker
        if self._held is None:
            self._try_lock()

    def renew(self) -> None:
        if self._worker and not self._is_held():
            self._disconnect()
            self._try_lock()

    def _is_held(self) -> bool:
        """Query the lock itself, because a lost connection may have been replaced silently."""
        try:
            return self._held is not None and bool(self._held.scalar(_HOLDS_LOCK))
        except SQLAlchemyError:
            return False

    def _try_lock(self) -> None:
        """Take the lock, unless the server has not noticed yet that the connection that held it is gone."""
        with _translated_errors():
            self._held = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if not self._held.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": _lock_key(self._worker)}):
                self._disconnect()

    def is_alive(self, worker: str) -> bool:
        query = sa.text("SELECT pg_try_advisory_xact_lock(:key)")
        with _translated_errors(), self._engine.connect() as connection:  # closing it releases the lock
            return not connection.scalar(query, {"key": _lock_key(worker)})

    def release(self) -> None:
        self._worker = ""
        self._disconnect()

    def _disconnect(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            with suppress(SQLAlchemyError):
                held.invalidate()
                held.close()


@contextmanager
def _translated_errors() -> Generator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreUnavailableError(str(error)) from error


def _lock_key(worker: str) -> int:
    digest = hashlib.sha256(f"toolway worker {worker}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
