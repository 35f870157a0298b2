"""Connections to the databases that can store tasks: SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError

from toolway.errors import ConfigurationError

__all__ = ["create_store_engine", "parse_store_url"]

_BUSY_SECONDS = 30


def parse_store_url(text: str) -> sa.URL:
    """Parse the URL of a store. PostgreSQL is used with the driver that DBOS installs.

    Raises:
        ConfigurationError: the URL names no database that can store tasks.
    """
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


def create_store_engine(url: sa.URL) -> sa.Engine:
    """Return an engine whose transactions wait for those of other processes."""
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True, pool_size=5)
    engine = sa.create_engine(url)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
        _enable_write_ahead_log(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A transaction that reads first could not wait for another writer when it writes.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _enable_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead logging, which is permanent; SQLite's busy timeout does not apply to this."""
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
