"""The store of long results, from which callers read what was truncated: a table of SQLite or PostgreSQL.

A result is encrypted under its handle, for its caller. The store has neither handles nor readable results, and needs no
key of the server, so that every process with the same store can serve every handle.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
import zlib
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

from toolway.elicitation import DecryptionError, Seal
from toolway.results.truncation import Collection, Kind

__all__ = ["ResultStore", "ResultStoreError"]

_MOST_PER_CALLER = 100
_SETUP_LOCK = 7_463_922
_KINDS: tuple[Kind, ...] = ("array", "object", "text")


class ResultStoreError(Exception):
    """The store cannot be opened, read or written."""


class ResultStore:
    """The results of one store; nothing is opened or created before the first one.

    Methods block, and may be called in several threads at a time. They raise `ResultStoreError` if the database cannot
    be used.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...``.
        seconds: how long a result is kept.
    """

    def __init__(self, url: str, seconds: float) -> None:
        scheme, _, rest = url.partition("://")
        self._file = Path(rest[1:]) if scheme == "sqlite" else None
        self._address = f"postgresql://{rest}"
        self._table = "stored_results" if self._file is not None else "toolway.stored_results"
        self._seconds = seconds
        self._is_prepared = False

    def save(self, collection: Collection, caller: str) -> str:
        """Store a collection for a caller, and return its handle."""
        handle = secrets.token_urlsafe(24)
        kind = _KINDS.index(collection.kind)
        body = Seal([handle.encode()]).encrypt(bytes([kind]) + zlib.compress(collection.body, 1), caller)
        now, owner = time.time(), _hash(caller)
        newest = f"SELECT id FROM {self._table} WHERE owner = ? ORDER BY expires DESC LIMIT {_MOST_PER_CALLER}"  # noqa: S608
        with self._connection() as connection:
            self._run(connection, f"DELETE FROM {self._table} WHERE expires <= ?", now)  # noqa: S608
            self._run(
                connection,
                f"INSERT INTO {self._table} (id, owner, expires, body) VALUES (?, ?, ?, ?)",  # noqa: S608
                _hash(handle), owner, now + self._seconds, body,
            )  # fmt: skip
            self._run(connection, f"DELETE FROM {self._table} WHERE owner = ? AND id NOT IN ({newest})", owner, owner)  # noqa: S608
        return handle

    def load(self, handle: str, caller: str) -> Collection | None:
        """Return the collection of a handle; None if it does not exist, has expired, or belongs to another caller."""
        if self._file is not None and not self._file.exists():
            return None
        with self._connection() as connection:
            found = self._run(connection, f"SELECT body FROM {self._table} WHERE id = ?", _hash(handle))  # noqa: S608
        if not found:
            return None
        try:
            plain = Seal([handle.encode()]).decrypt(bytes(found[0][0]), caller, self._seconds)
        except DecryptionError:
            return None
        return Collection(_KINDS[plain[0]], zlib.decompress(plain[1:]))

    @contextmanager
    def _connection(self) -> Generator[Any]:
        """Open a connection for one transaction; few results are stored, so connections are not kept."""
        try:
            with closing(self._connect()) as connection, connection:
                if not self._is_prepared:
                    self._prepare(connection)
                yield connection
        except Exception as error:
            raise ResultStoreError(str(error)) from error
        self._is_prepared = True

    def _connect(self) -> Any:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            return sqlite3.connect(self._file, timeout=30)
        import psycopg  # noqa: PLC0415 - only for this kind of store

        return psycopg.connect(self._address)

    def _prepare(self, connection: Any) -> None:
        if self._file is None:
            self._run(connection, "SELECT pg_advisory_xact_lock(?)", _SETUP_LOCK)
            self._run(connection, "CREATE SCHEMA IF NOT EXISTS toolway")
        blob, real = ("BLOB", "REAL") if self._file is not None else ("BYTEA", "DOUBLE PRECISION")
        columns = f"id TEXT PRIMARY KEY, owner TEXT NOT NULL, expires {real} NOT NULL, body {blob} NOT NULL"
        self._run(connection, f"CREATE TABLE IF NOT EXISTS {self._table} ({columns})")
        for column in ("owner", "expires"):
            self._run(connection, f"CREATE INDEX IF NOT EXISTS stored_results_{column} ON {self._table} ({column})")

    def _run(self, connection: Any, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement in the parameter style of the driver, and return its rows."""
        text = statement if self._file is not None else statement.replace("?", "%s")
        cursor = connection.execute(text, values)
        return cast("list[tuple[Any, ...]]", cursor.fetchall()) if cursor.description is not None else []


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
