"""The catalogue of an application, as an agent would find it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from toolway import Toolway
from toolway.catalog import Catalog, Tool

__all__ = ["catalog_of", "only_tool"]


async def catalog_of(app: FastAPI, **options: Any) -> Catalog:
    """Start an application with these options of `Toolway`, and return its catalogue."""
    async with Toolway(app, **options).running() as running:
        return running.catalog


async def only_tool(app: FastAPI, **options: Any) -> Tool:
    """Return the tool of an application that has just one."""
    (tool,) = (await catalog_of(app, **options)).tools.values()
    return tool
