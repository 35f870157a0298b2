"""The application: every domain's endpoints, served over HTTP and, by toolway, to agents."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from tools.retail.desk import opened
from tools.retail.routes import router as retail_router
from tools.retail.settings import RetailSettings
from toolway import Settings, Toolway

__all__ = ["app", "create_app"]


def create_app(settings: RetailSettings | None = None) -> FastAPI:
    """Put the domains together.

    Args:
        settings: where the order desk's store is; read from the environment otherwise.
    """
    retail = settings or RetailSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with opened(app, retail):
            yield

    app = FastAPI(
        title="Order desk",
        description="A shop's support desk: find a customer, look at orders, cancel, change, return, exchange.",
        lifespan=lifespan,
    )
    app.include_router(retail_router)
    Toolway(app, settings=_toolway_settings(retail)).mount()
    return app


def _toolway_settings(retail: RetailSettings) -> Settings:
    """What the environment says, and otherwise what suits the desk."""
    settings = Settings()
    ours: dict[str, Any] = {"store_url": retail.tasks_url, "confirm": "if_possible"}
    return settings.model_copy(update={key: ours[key] for key in ours.keys() - settings.model_fields_set})


app = create_app()
