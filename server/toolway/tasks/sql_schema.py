"""The tables of the task store: their schema version, and the migrations from one version to the next."""

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
"""Brings the jobs table, given by name, to the next version, for the queue of the server that does so. Workers of the
version before may still be running, so new columns have defaults."""


class Tables:
    """The tables of a store, on SQLite without a schema."""

    def __init__(self, schema: str | None) -> None:
        self._schema = schema
        self._metadata = sa.MetaData(schema=schema)
        self._version = sa.Table("store_version", self._metadata, sa.Column("version", sa.Integer, nullable=False))
        self.jobs = _jobs(self._metadata)

    def prepare(self, connection: sa.Connection, queue: str) -> None:
        """Create the tables, or bring them to this release's version; several workers may do so at once.

        Raises:
            ConfigurationError: the store has a newer version, or lacks a column.
        """
        if self._schema is not None:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SETUP_LOCK})
            connection.execute(CreateSchema(self._schema, if_not_exists=True))
        version = self._read_version(connection)
        if version > len(_MIGRATIONS):
            raise ConfigurationError(
                f"its schema has version {version}, and this release of toolway supports versions up to "
                f"{len(_MIGRATIONS)}; upgrade toolway, or set TOOLWAY_STORE_URL to another store"
            )
        if sa.inspect(connection).has_table("jobs", self._schema):
            for migrate in _MIGRATIONS[version:]:
                migrate(connection, self.jobs.fullname, queue)
            self._require_columns(connection)
        self._metadata.create_all(connection)
        for index in self.jobs.indexes:
            index.create(connection, checkfirst=True)
        if version < len(_MIGRATIONS):
            connection.execute(sa.delete(self._version))
            connection.execute(sa.insert(self._version).values(version=len(_MIGRATIONS)))

    def _read_version(self, connection: sa.Connection) -> int:
        """Return the version of a store; 0 for one without a version, which may have no tables yet."""
        if not sa.inspect(connection).has_table("store_version", self._schema):
            return 0
        return connection.scalar(sa.select(self._version.c.version)) or 0

    def _require_columns(self, connection: sa.Connection) -> None:
        for table in (self.jobs, self._version):
            inspector = sa.inspect(connection)
            if not inspector.has_table(table.name, self._schema):
                continue
            found = {column["name"] for column in inspector.get_columns(table.name, self._schema)}
            if missing := [column.name for column in table.columns if column.name not in found]:
                raise ConfigurationError(
                    f"its table {table.name!r} has no column {missing[0]!r}; restore the store, or set "
                    "TOOLWAY_STORE_URL to another one"
                )


def _jobs(metadata: sa.MetaData) -> sa.Table:
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


def _name_queues(connection: sa.Connection, jobs: str, queue: str) -> None:
    """Version 1: queues have names of their own instead of titles; attempts are counted, and identities described."""
    for column in ("title TEXT", "identity TEXT", "attempts INTEGER NOT NULL DEFAULT 0"):
        connection.execute(sa.text(f"ALTER TABLE {jobs} ADD COLUMN {column}"))
    connection.execute(sa.text(f"UPDATE {jobs} SET title = service, service = :queue"), {"queue": queue})  # noqa: S608


_MIGRATIONS: Sequence[Migration] = (_name_queues,)
