"""Opening the order desk: the store is brought up to date, and filled if it is one to play with."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from tools.retail.database import Database
from tools.retail.exportfiles import ExportFiles
from tools.retail.migrations import is_migrated, migrate
from tools.retail.progress import Progress
from tools.retail.seed import DEFAULT_SIZE, seed_records
from tools.retail.settings import DEFAULT_STORE, RetailSettings
from tools.retail.store import is_empty, replace

__all__ = ["Exports", "Store", "open_store", "opened"]


@asynccontextmanager
async def opened(app: FastAPI, settings: RetailSettings) -> AsyncGenerator[None, None]:
    """Keep the desk's store open for the application's endpoints."""
    lifetime = timedelta(hours=settings.export_hours)
    app.state.retail_exports = ExportFiles(settings.exports, lifetime, settings.export_part_bytes)
    async with open_store(settings, seed=settings.seeds_itself) as store:
        app.state.retail_store = store
        yield


@asynccontextmanager
async def open_store(settings: RetailSettings, *, seed: bool = False) -> AsyncGenerator[Database, None]:
    """Open the store that the settings name, its tables up to date; fill it if asked to and it is empty."""
    if settings.on_default_store:
        DEFAULT_STORE.parent.mkdir(parents=True, exist_ok=True)
    database = Database(settings.url, settings.lock_seconds)
    try:
        if not await _is_ready(database, seed=seed):
            await _make_ready(database, seed=seed)
        yield database
    finally:
        await database.dispose()


async def _is_ready(database: Database, *, seed: bool) -> bool:
    """Look without locking: most of the time there is nothing to do, and somebody else may be writing."""
    async with database.surveying() as connection:
        return await connection.run_sync(is_migrated) and not (seed and await is_empty(connection))


async def _make_ready(database: Database, *, seed: bool) -> None:
    """Do it all in one transaction that keeps other processes out, so any number of them may start at once."""
    async with database.rewriting() as connection:
        await connection.run_sync(migrate)
        if seed and await is_empty(connection):
            await replace(connection, seed_records(DEFAULT_SIZE), Progress("seeding an empty store"))


def _store(request: Request) -> Database:
    return request.app.state.retail_store


def _exports(request: Request) -> ExportFiles:
    return request.app.state.retail_exports


Store = Annotated[Database, Depends(_store)]
Exports = Annotated[ExportFiles, Depends(_exports)]
