"""An order desk on a real database: find a customer, look at orders, cancel, change, return, exchange."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tools.retail.desk import open_store
from tools.retail.routes import router
from tools.retail.settings import RetailSettings

__all__ = ["opened", "router"]


@asynccontextmanager
async def opened(app: FastAPI, settings: RetailSettings) -> AsyncGenerator[None, None]:
    """Keep the desk's store open for the application's endpoints."""
    async with open_store(settings, seed=settings.seeds_itself) as store:
        app.state.retail_store = store
        yield
