"""The demo application: the endpoints of all domains, which toolway also serves to agents as MCP tools."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from tools.retail.desk import open_desk
from tools.retail.routes import router as retail_router
from tools.retail.settings import RetailSettings
from toolway import Settings, Toolway

__all__ = ["app", "create_app"]


def create_app(settings: RetailSettings | None = None) -> FastAPI:
    """Return an application with the endpoints of all domains.

    Args:
        settings: the settings of the order desk. Defaults to the environment.
    """
    retail = settings or RetailSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with open_desk(app, retail):
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
    """Return toolway's settings: from the environment, or else the defaults of the order desk."""
    settings = Settings()
    ours: dict[str, Any] = {"store_url": retail.tasks_url, "confirm": "if_possible"}
    return settings.model_copy(update={key: ours[key] for key in ours.keys() - settings.model_fields_set})


app = create_app()
