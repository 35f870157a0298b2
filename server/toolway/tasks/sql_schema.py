"""The tables of the task store, their schema version, and the migrations between versions.

Stored names are older than the names in the code, and stay because workers of earlier releases may still be running:
the table ``jobs`` has the tasks, its column ``service`` has their queue, its column ``answers`` has their resume state,
and ``toolway.job`` is the DBOS workflow that runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.schema import CreateSchema

from toolway.errors import ConfigurationError

__all__ = ["SCHEMA", "Tables"]

SCHEMA = "toolway"
"""The schema on PostgreSQL."""

_SETUP_LOCK = 7_463_921

Migration: TypeAlias = Callable[[sa.Connection, str, str], None]
"""Migrates the table of tasks, given its name and the queue of the server that migrates it.

Workers of the previous version may still be running, so new columns have defaults.
"""


class Tables:
    """The tables of a store; ``schema`` is None on SQLite."""

    def __init__(self, schema: str | None) -> None:
        self._schema = schema
        self._metadata = sa.MetaData(schema=schema)
        self._version = sa.Table("store_version", self._metadata, sa.Column("version", sa.Integer, nullable=False))
        self.tasks = _tasks_table(self._metadata)

    def prepare(self, connection: sa.Connection, queue: str) -> None:
        """Create the tables, or migrate them to this release's version; several workers may do so at the same time.

        Raises:
            ConfigurationError: the store has a newer version, or a column is missing.
        """
        if self._schema is not None:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SETUP_LOCK})
            connection.execute(CreateSchema(self._schema, if_not_exists=True))
        version = self._read_version(connection)
        if version > len(_MIGRATIONS):
            raise ConfigurationError(
                f"its schema version is {version}, and this release of toolway supports versions up to "
                f"{len(_MIGRATIONS)}; upgrade toolway, or set TOOLWAY_STORE_URL to another store"
            )
        if sa.inspect(connection).has_table("jobs", self._schema):
            for migrate in _MIGRATIONS[version:]:
                migrate(connection, self.tasks.fullname, queue)
            self._require_columns(connection)
        self._metadata.create_all(connection)
        for index in self.tasks.indexes:
            index.create(connection, checkfirst=True)
        if version < len(_MIGRATIONS):
            connection.execute(sa.delete(self._version))
            connection.execute(sa.insert(self._version).values(version=len(_MIGRATIONS)))

    def _read_version(self, connection: sa.Connection) -> int:
        """Return the version of a store; 0 if it has no version, and perhaps no tables yet."""
        if not sa.inspect(connection).has_table("store_version", self._schema):
            return 0
        return connection.scalar(sa.select(self._version.c.version)) or 0

    def _require_columns(self, connection: sa.Connection) -> None:
        for table in (self.tasks, self._version):
            inspector = sa.inspect(connection)
            if not inspector.has_table(table.name, self._schema):
                continue
            found = {column["name"] for column in inspector.get_columns(table.name, self._schema)}
            if missing := [column.name for column in table.columns if column.name not in found]:
                raise ConfigurationError(
                    f"its table {table.name!r} has no column {missing[0]!r}; restore the store, or set "
                    "TOOLWAY_STORE_URL to another one"
                )


def _tasks_table(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "jobs",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("identity", sa.Text),
        sa.Column("call", sa.LargeBinary, nullable=False),
        sa.Column("repeatable", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("result", sa.LargeBinary),
        sa.Column("questions", sa.Text),
        sa.Column("answers", sa.LargeBinary),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("worker", sa.Text),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Index("jobs_unfinished", "service", "state", "caller"),
        sa.Index("jobs_expires", "expires"),
    )


def _name_queues(connection: sa.Connection, table: str, queue: str) -> None:
    """Migrate to version 1: queues have names instead of titles, attempts are counted, and identities are recorded."""
    for column in ("title TEXT", "identity TEXT", "attempts INTEGER NOT NULL DEFAULT 0"):
        connection.execute(sa.text(f"ALTER TABLE {table} ADD COLUMN {column}"))
    connection.execute(sa.text(f"UPDATE {table} SET title = service, service = :queue"), {"queue": queue})  # noqa: S608


_MIGRATIONS: Sequence[Migration] = (_name_queues,)
