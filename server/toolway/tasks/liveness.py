"""Who of the workers is alive.

Every worker holds a lock for as long as it lives. The operating system takes it away from a process that is killed, and
a PostgreSQL server from one whose connection is gone: no clock is asked. Who lives takes a lost lock again at once, so
that others look several times before they take somebody for dead.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

__all__ = ["DatabasePresence", "FilePresence", "Presence"]


class Presence(Protocol):
    """The locks of one store. Its methods block; `keep` is called now and then."""

    def enter(self, worker: str) -> None:
        """Hold the lock of a worker from now on; it may be held already."""
        ...

    def keep(self) -> None:
        """See that the lock is held, and take it again where the connection was lost."""
        ...

    def lives(self, worker: str) -> bool:
        """Tell whether somebody holds the lock of another worker."""
        ...

    def leave(self) -> None:
        """Let go of the lock."""
        ...


class FilePresence:
    """Locks of files beside the store, for workers on one machine.

    The files are empty SQLite databases, held in an exclusive transaction: that works alike on every system, and unlike
    `flock` it is not handed down to child processes, which may outlive a worker.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: tuple[sqlite3.Connection, Path] | None = None

    def enter(self, worker: str) -> None:
        if self._held is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / worker
        self._held = _locked(path), path

    def keep(self) -> None:
        """A file's lock is lost only with the file."""
        if self._held is not None and not self._held[1].exists():
            worker = self._held[1].name
            self.leave()
            self.enter(worker)

    def lives(self, worker: str) -> bool:
        path = self._folder / worker
        if not path.exists():
            return False
        try:
            _locked(path).close()
        except sqlite3.OperationalError:
            return True
        path.unlink(missing_ok=True)
        return False

    def leave(self) -> None:
        if self._held is not None:
            connection, path = self._held
            self._held = None
            connection.close()
            path.unlink(missing_ok=True)


def _locked(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        connection.close()
        raise
    return connection


_HOLDS = sa.text("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())")


class DatabasePresence:
    """Advisory locks of PostgreSQL sessions, for workers on any number of machines.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._held: sa.Connection | None = None
        self._worker = ""

    def enter(self, worker: str) -> None:
        self._worker = worker
        if self._held is None:
            self._take()

    def keep(self) -> None:
        if self._worker and not self._holds():
            self._let_go()
            self._take()

    def _holds(self) -> bool:
        """Ask for the lock itself, as a connection that was lost may have been made again in silence."""
        try:
            return self._held is not None and bool(self._held.scalar(_HOLDS))
        except SQLAlchemyError:
            return False

    def _take(self) -> None:
        """Take the lock, unless the server has not noticed yet that the connection is gone which held it."""
        self._held = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not self._held.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": _key(self._worker)}):
            self._let_go()

    def lives(self, worker: str) -> bool:
        with self._engine.connect() as connection:  # its end gives the lock back
            taken = connection.scalar(sa.text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _key(worker)})
            return not taken

    def leave(self) -> None:
        self._worker = ""
        self._let_go()

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            with suppress(SQLAlchemyError):
                held.invalidate()
                held.close()


def _key(worker: str) -> int:
    digest = hashlib.sha256(f"toolway worker {worker}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
