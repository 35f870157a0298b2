"""Opening of the order desk's store: migrate it, and seed the default one."""

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

__all__ = ["Exports", "Store", "open_desk", "open_store"]


@asynccontextmanager
async def open_desk(app: FastAPI, settings: RetailSettings) -> AsyncGenerator[None, None]:
    """Open the order desk's store and exports for the endpoints of the application."""
    lifetime = timedelta(hours=settings.export_hours)
    app.state.retail_exports = ExportFiles(settings.exports, lifetime, settings.export_part_bytes)
    async with open_store(settings, seed=settings.seeds_itself) as store:
        app.state.retail_store = store
        yield


@asynccontextmanager
async def open_store(settings: RetailSettings, *, seed: bool = False) -> AsyncGenerator[Database, None]:
    """Open the configured store, with its tables migrated; if `seed` is set, fill an empty one."""
    if settings.on_default_store:
        DEFAULT_STORE.parent.mkdir(parents=True, exist_ok=True)
    database = Database(settings.url, settings.lock_seconds)
    try:
        if not await _is_ready(database, seed=seed):
            await _prepare(database, seed=seed)
        yield database
    finally:
        await database.dispose()


async def _is_ready(database: Database, *, seed: bool) -> bool:
    """Check without locking: usually there is nothing to do, and another process may be writing."""
    async with database.surveying() as connection:
        return await connection.run_sync(is_migrated) and not (seed and await is_empty(connection))


async def _prepare(database: Database, *, seed: bool) -> None:
    """Migrate and seed in one exclusive transaction, so that several processes may start at once."""
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
