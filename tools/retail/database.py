"""One engine per store, and the two kinds of transaction on it.

A reading transaction sees one snapshot. A writing transaction keeps other writers from what it changes: SQLite takes
the store's write lock as it begins, PostgreSQL locks the rows that are selected ``FOR UPDATE``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from tools.retail.errors import Busy, StoreError

__all__ = ["Database"]

_LOCK_SECONDS = 30
_LOCK_NOT_AVAILABLE = {"55P03", "40P01"}  # PostgreSQL: lock timeout, deadlock


class Database:
    """A store: a place to read from and to write to."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine = _sqlite_engine(url) if url.get_backend_name() == "sqlite" else _postgresql_engine(url)
        # These share the engine's pool and differ only in how a transaction begins.
        self._reader = self._engine.execution_options(**_READING[self.backend])
        self._writer = self._engine.execution_options(**_WRITING[self.backend])

    @property
    def backend(self) -> str:
        return self.url.get_backend_name()

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession, None]:
        """Open a session on one snapshot of the store; nothing done in it is kept."""
        async with AsyncSession(self._reader, autoflush=False) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncSession, None]:
        """Open a session whose changes are committed together at the end, or not at all when the block raises."""
        try:
            async with AsyncSession(self._writer, expire_on_commit=False) as session, session.begin():
                yield session
        except DBAPIError as error:
            if _is_lock_timeout(error):
                raise Busy("The store is busy with another change; nothing was changed. Try again.") from error
            raise

    @asynccontextmanager
    async def rewriting(self) -> AsyncGenerator[AsyncConnection, None]:
        """Open a connection for bulk work in one transaction: migrating, seeding, importing."""
        try:
            async with self._writer.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(f"cannot use the store {self.name}: {_first_line(error)}") from error

    @property
    def name(self) -> str:
        """The store's URL without its password."""
        return self.url.set(drivername=self.backend).render_as_string(hide_password=True)

    async def dispose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


_READING: dict[str, dict[str, Any]] = {
    "sqlite": {"begin": "BEGIN"},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
_WRITING: dict[str, dict[str, Any]] = {
    "sqlite": {"begin": "BEGIN IMMEDIATE"},
    "postgresql": {"isolation_level": "READ COMMITTED"},
}


def _sqlite_engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": _LOCK_SECONDS})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite_connection)
    event.listen(engine.sync_engine, "begin", _begin_sqlite_transaction)
    return engine


def _prepare_sqlite_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver shall begin nothing by itself
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", "cache_size = -65536"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite_transaction(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _postgresql_engine(url: URL) -> AsyncEngine:
    settings = {"lock_timeout": f"{_LOCK_SECONDS}s", "application_name": "order desk"}
    return create_async_engine(url, connect_args={"server_settings": settings})


def _is_lock_timeout(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", "")
    return code in _LOCK_NOT_AVAILABLE or str(code).startswith("SQLITE_BUSY")


def _first_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(cause).strip().partition("\n")[0]
