"""The catalog of an application, as an agent sees it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from toolway import Toolway
from toolway.app import engine_of
from toolway.catalog import Catalog, Tool

__all__ = ["app_of", "catalog_of", "names_of", "nothing", "only_tool"]


async def nothing() -> None:
    """Do nothing."""


def app_of(*paths: str, method: str = "GET", **options: Any) -> FastAPI:
    """Return an application with one plain endpoint at each path."""
    app = FastAPI()
    for path in paths:
        app.add_api_route(path, nothing, methods=[method], **options)
    return app


async def catalog_of(app: FastAPI, **options: Any) -> Catalog:
    """Start an application with these options of `Toolway`, and return its catalogue."""
    async with engine_of(Toolway(app, **options)).run() as running:
        return running.catalog


async def only_tool(app: FastAPI, **options: Any) -> Tool:
    """Return the tool of an application that has just one."""
    (tool,) = (await catalog_of(app, **options)).tools.values()
    return tool


async def names_of(app: FastAPI, **options: Any) -> list[str]:
    """Return the names of an application's tools, in their order."""
    return list((await catalog_of(app, **options)).tools)
