"""A table of SQLite or PostgreSQL that every process with the same store shares, without a library for SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

__all__ = ["SqlTable", "StoreError"]

_SETUP_LOCK = 7_463_922


class StoreError(Exception):
    """The store cannot be opened, read or written."""


class SqlTable:
    """One table; nothing is opened or created before the first connection.

    Methods block, and may be called in several threads at a time.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...``.
        name: the name of the table, in the schema ``toolway`` of PostgreSQL.
        columns: the definitions of its columns; ``REAL`` and ``BLOB`` become the types of PostgreSQL.
        indexes: columns with an index.
    """

    def __init__(self, url: str, name: str, columns: str, indexes: Sequence[str] = ()) -> None:
        scheme, _, rest = url.partition("://")
        self._file = Path(rest[1:]) if scheme == "sqlite" else None
        self._address = f"postgresql://{rest}"
        self._short_name = name
        self.name = name if self._file is not None else f"toolway.{name}"
        is_postgres = self._file is None
        self._columns = columns.replace("BLOB", "BYTEA").replace("REAL", "DOUBLE PRECISION") if is_postgres else columns
        self._indexes = indexes
        self._is_prepared = False

    @property
    def exists(self) -> bool:
        """Return whether the table may exist; only a connection knows for PostgreSQL."""
        return self._file is None or self._file.exists()

    @contextmanager
    def connection(self) -> Generator[Any]:
        """Open a connection for one transaction; it is rarely needed, so connections are not kept.

        Raises:
            StoreError: the database cannot be used.
        """
        try:
            with closing(self._connect()) as connection, connection:
                if not self._is_prepared:
                    self._prepare(connection)
                yield connection
        except Exception as error:
            raise StoreError(str(error)) from error
        self._is_prepared = True

    def run(self, connection: Any, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement with ``?`` for its values, and return its rows."""
        text = statement if self._file is not None else statement.replace("?", "%s")
        cursor = connection.execute(text, values)
        return cast("list[tuple[Any, ...]]", cursor.fetchall()) if cursor.description is not None else []

    def _connect(self) -> Any:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            return sqlite3.connect(self._file, timeout=30)
        import psycopg  # noqa: PLC0415 - only for this kind of store

        return psycopg.connect(self._address)

    def _prepare(self, connection: Any) -> None:
        if self._file is None:
            self.run(connection, "SELECT pg_advisory_xact_lock(?)", _SETUP_LOCK)
            self.run(connection, "CREATE SCHEMA IF NOT EXISTS toolway")
        self.run(connection, f"CREATE TABLE IF NOT EXISTS {self.name} ({self._columns})")
        for column in self._indexes:
            self.run(connection, f"CREATE INDEX IF NOT EXISTS {self._short_name}_{column} ON {self.name} ({column})")
