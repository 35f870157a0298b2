"""The engine, reading an API in fastapi-mcp's words."""

from __future__ import annotations

from typing import Any

from mcp.server.lowlevel import Server

from toolway.app import Toolway, engine_of
from toolway.catalog import Catalog
from toolway.compat.fastapi_mcp.describe import Wording
from toolway.compat.fastapi_mcp.filters import Filters
from toolway.compat.fastapi_mcp.tools import tell_renamed
from toolway.errors import FilterError
from toolway.protocol import CallContextFactory
from toolway.sources import Application

__all__ = ["Served"]


class Served(Toolway):
    """A Toolway whose tools are named and described as fastapi-mcp's users are used to."""

    def __init__(self, *args: Any, wording: Wording, filters: Filters, **options: Any) -> None:
        super().__init__(*args, **options)
        self._filters = filters
        self._server_before_start: Server[Any] | None = None
        source = engine_of(self).source
        if isinstance(source, Application):
            source.adapt = wording.applied
            source.selection = filters.selection()

    @property
    def server(self) -> Server[Any]:
        """The server of the running application; before its start, one that serves the operations known by now."""
        engine = engine_of(self)
        if engine.running is not None:
            return engine.running.server
        if self._server_before_start is None:
            _, _, self._server_before_start = engine.build_server({}, CallContextFactory(self.settings))
        return self._server_before_start

    def refresh(self) -> None:
        self._server_before_start = None
        super().refresh()

    def read_catalog(self) -> Catalog:
        catalog = super().read_catalog()
        given = self._filters.given()
        if given and not catalog.tools:
            named = " and ".join(f"{name}={list(entries)!r}" for name, entries in given.items())
            raise FilterError(
                f"{named} leave no operation to serve; an operation is served if an include filter names it"
                " and no exclude filter does"
            )
        tell_renamed(catalog.tools.values())
        return catalog
