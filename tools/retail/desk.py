"""Opening the order desk: the store is brought up to date, and filled if it is one to play with."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.retail.database import Database
from tools.retail.migrations import migrate
from tools.retail.progress import Progress
from tools.retail.seed import DEFAULT_SIZE, seed_records
from tools.retail.settings import DEFAULT_STORE, RetailSettings
from tools.retail.store import is_empty, replace

__all__ = ["Store", "open_store", "opened"]

_MIGRATION_LOCK = 7_304_212_961  # any number, as long as every process of the desk takes the same


@asynccontextmanager
async def opened(app: FastAPI, settings: RetailSettings) -> AsyncGenerator[None, None]:
    """Keep the desk's store open for the application's endpoints."""
    async with open_store(settings, seed=settings.seeds_itself) as store:
        app.state.retail_store = store
        yield


@asynccontextmanager
async def open_store(settings: RetailSettings, *, seed: bool = False) -> AsyncGenerator[Database, None]:
    """Open the store that the settings name, its tables up to date; fill it if asked to and it is empty."""
    if settings.on_default_store:
        DEFAULT_STORE.parent.mkdir(parents=True, exist_ok=True)
    database = Database(settings.url)
    try:
        await _prepare(database, seed=seed)
        yield database
    finally:
        await database.dispose()


async def _prepare(database: Database, *, seed: bool) -> None:
    """All in one transaction that keeps other processes out, so any number of them may start at once."""
    async with database.rewriting() as connection:
        await _wait_for_turn(connection)
        await connection.run_sync(migrate)
        if seed and await is_empty(connection):
            await replace(connection, seed_records(DEFAULT_SIZE), Progress("seeding an empty store"))


async def _wait_for_turn(connection: AsyncConnection) -> None:
    """SQLite has one writer at a time anyway; PostgreSQL is asked for a lock that lasts as long as the transaction."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SET LOCAL lock_timeout = 0"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


def _store(request: Request) -> Database:
    return request.app.state.retail_store


Store = Annotated[Database, Depends(_store)]
