"""The engine, reading an API in fastapi-mcp's words."""

from __future__ import annotations

from typing import Any

from mcp.server.lowlevel import Server

from toolway._sources import Application
from toolway._toolway import Toolway
from toolway.catalog import Catalog
from toolway.compat.fastapi_mcp.describe import Wording
from toolway.compat.fastapi_mcp.tools import tell_renamed
from toolway.errors import NotStartedError

__all__ = ["Served"]


class Served(Toolway):
    """A Toolway whose tools are named and described as fastapi-mcp's users are used to."""

    def __init__(self, *args: Any, wording: Wording, **options: Any) -> None:
        super().__init__(*args, **options)
        if isinstance(self.source, Application):
            self.source.adapt = wording.applied

    @property
    def server(self) -> Server[Any]:
        if self._running is None:
            raise NotStartedError("the server is made when the application starts; run its lifespan first")
        return self._running.server

    def read_catalog(self) -> Catalog:
        catalog = super().read_catalog()
        tell_renamed(catalog.tools.values())
        return catalog
