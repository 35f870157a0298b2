"""The application: every domain's endpoints, served over HTTP and, by toolway, to agents."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tools.retail.desk import opened
from tools.retail.routes import router as retail_router
from tools.retail.settings import RetailSettings
from toolway import Toolway

__all__ = ["app", "create_app"]


def create_app(settings: RetailSettings | None = None) -> FastAPI:
    """Put the domains together.

    Args:
        settings: where the order desk's store is; read from the environment when the application starts otherwise.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with opened(app, settings or RetailSettings()):
            yield

    app = FastAPI(
        title="Order desk",
        description="A shop's support desk: find a customer, look at orders, cancel, change, return, exchange.",
        lifespan=lifespan,
    )
    app.include_router(retail_router)
    Toolway(app).mount()
    return app


app = create_app()
