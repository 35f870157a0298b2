"""The database of a store, and its two kinds of transactions.

A reading transaction sees one snapshot. A writing transaction locks what it changes: SQLite takes the write lock of the
whole store when it begins, PostgreSQL locks the rows that are selected ``FOR UPDATE``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import URL, Connection, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from tools.retail.errors import Busy, StoreError

__all__ = ["Database", "lock_tables"]

_BULK_LOCK = 7_304_212_961  # an arbitrary id that all processes of the order desk share
_LOCK_NOT_AVAILABLE = {"55P03", "40P01"}  # PostgreSQL: lock timeout, deadlock


class Database:
    """The database of one store."""

    def __init__(self, url: URL, lock_seconds: float) -> None:
        self.url = url
        make_engine = _sqlite_engine if self.backend == "sqlite" else _postgresql_engine
        self._engine = make_engine(url, lock_seconds)
        # Both share the engine's pool and differ only in how a transaction begins.
        self._reader = self._engine.execution_options(**_READING[self.backend])
        self._writer = self._engine.execution_options(**_WRITING[self.backend])

    @property
    def backend(self) -> str:
        return self.url.get_backend_name()

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession, None]:
        """Open a session on one snapshot of the store; its changes are discarded."""
        with _report_busy_store():
            async with AsyncSession(self._reader, autoflush=False) as session:
                yield session

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncSession, None]:
        """Open a session whose changes are committed at the end, or rolled back if the block raises."""
        with _report_busy_store():
            async with AsyncSession(self._writer, expire_on_commit=False) as session, session.begin():
                yield session

    @asynccontextmanager
    async def surveying(self) -> AsyncGenerator[AsyncConnection, None]:
        """Open a connection on one snapshot of the whole store."""
        with self._report_store_errors():
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def rewriting(self) -> AsyncGenerator[AsyncConnection, None]:
        """Open a connection for bulk work in one transaction, which excludes other bulk work."""
        with self._report_store_errors():
            async with self._writer.begin() as connection:
                if self.backend == "postgresql":  # SQLite allows one writer at a time anyway
                    await connection.execute(text("SET LOCAL lock_timeout = 0"))
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _BULK_LOCK})
                yield connection

    @contextmanager
    def _report_store_errors(self) -> Generator[None, None, None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(f"cannot use the store {self.name}: {_first_line(error)}") from error

    @property
    def name(self) -> str:
        """The store's URL without its password."""
        return self.url.set(drivername=self.backend).render_as_string(hide_password=True)

    async def dispose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


async def lock_tables(session: AsyncSession, *tables: type[DeclarativeBase]) -> None:
    """Lock whole tables against other writers until the end; SQLite allows one writer at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        names = ", ".join(table.__tablename__ for table in tables)
        await session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


_READING: dict[str, dict[str, Any]] = {
    "sqlite": {"begin": "BEGIN"},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
_WRITING: dict[str, dict[str, Any]] = {
    "sqlite": {"begin": "BEGIN IMMEDIATE"},
    "postgresql": {"isolation_level": "READ COMMITTED"},
}


def _sqlite_engine(url: URL, lock_seconds: float) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": lock_seconds})
    event.listen(engine.sync_engine, "do_connect", _open_sqlite_file)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite_connection)
    event.listen(engine.sync_engine, "begin", _begin_sqlite_transaction)
    return engine


def _open_sqlite_file(_dialect: Any, _record: Any, arguments: tuple[str, ...], options: dict[str, Any]) -> None:
    # The driver opens the file in a thread, which reports a failure to an event loop that may be closed by then. Open
    # it here first to raise the error in time.
    sqlite3.connect(arguments[0], uri=options.get("uri", False)).close()


def _prepare_sqlite_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", "cache_size = -65536"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite_transaction(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _postgresql_engine(url: URL, lock_seconds: float) -> AsyncEngine:
    settings = {"lock_timeout": f"{lock_seconds * 1000:.0f}ms", "application_name": "order desk"}
    return create_async_engine(url, connect_args={"server_settings": settings})


@contextmanager
def _report_busy_store() -> Generator[None, None, None]:
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        if _is_busy(error):
            raise Busy("The store is busy with other changes, and nothing was changed. Try again.") from error
        raise


def _is_busy(error: DBAPIError | PoolTimeoutError) -> bool:
    if isinstance(error, PoolTimeoutError):
        return True
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", "")
    return code in _LOCK_NOT_AVAILABLE or str(code).startswith("SQLITE_BUSY")


def _first_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return str(cause).strip().partition("\n")[0]
