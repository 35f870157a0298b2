"""The rooms put together: an application in, an MCP server out.

The protocol room is imported when it is needed: the SDK behind it brings a web server and a command-line library, which
nobody wants who only imports a marker.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.routing import Route

from toolway.calls import CallContext, Calls, Dispatcher
from toolway.catalog import Catalog, Exposure, Filter, Selection, build_catalog
from toolway.console.swagger import serve_docs_offline
from toolway.errors import ConfigurationError, NotStartedError
from toolway.operations import read_application
from toolway.settings import Settings, read_settings

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from toolway.protocol import Endpoint

__all__ = ["Running", "Toolway"]


@dataclass(frozen=True, slots=True)
class Running:
    """What exists while the application runs."""

    catalog: Catalog
    calls: Calls
    server: Server[Any]


class Toolway:
    """Serves the endpoints of a FastAPI application as MCP tools.

    Args:
        app: the application; its OpenAPI document says what it offers.
        name: the server's name for clients, which put it before every tool's name; the application's title otherwise.
        include: only these operations.
        exclude: not these operations.
        expose: ``"marked"`` serves only endpoints that carry an `agent_tool` marker.
        settings: hosts, limits and the like; read from the environment (``TOOLWAY_...``) otherwise.

    Raises:
        ConfigurationError: a filter has an unknown key, or a variable of the environment cannot be read.
    """

    def __init__(
        self,
        app: FastAPI,
        *,
        name: str | None = None,
        include: Filter | None = None,
        exclude: Filter | None = None,
        expose: Exposure = "all",
        settings: Settings | None = None,
    ) -> None:
        self.app = app
        self.settings = settings or read_settings()
        self._name = name
        self._selection = Selection(include or {}, exclude or {}, expose)
        self._running: Running | None = None
        self._path: str | None = None

    def mount(self, path: str = "/mcp") -> Toolway:
        """Serve MCP at a path of the application, and make its documentation pages work without a network.

        The catalogue is built when the application has started, so routes may still be added until then. A filter that
        matches nothing then fails the start with a `FilterError`.

        Raises:
            ConfigurationError: the application has a Toolway already, or the path is not absolute.
        """
        if mounted_on(self.app) is not None:
            raise ConfigurationError("this application has a Toolway already; mount one Toolway per application")
        if not path.startswith("/") or path.endswith("/"):
            raise ConfigurationError(
                f"expected an absolute path without a slash at its end, such as '/mcp', got {path!r}"
            )
        from toolway.protocol import Endpoint  # noqa: PLC0415 - see the module's docstring

        endpoint = Endpoint(self.settings)
        # First of all routes: a mount that takes every path would swallow it. A Route and not a Mount, because that
        # would answer the bare path with a redirect.
        self.app.router.routes.insert(0, Route(path, endpoint=endpoint, include_in_schema=False))
        self._within_lifespan(endpoint)
        serve_docs_offline(self.app)
        self.app.state.toolway = self
        self._path = path
        return self

    @property
    def path(self) -> str | None:
        """Where it is mounted; None before `mount`."""
        return self._path

    @property
    def catalog(self) -> Catalog:
        """The tools of the running application.

        Raises:
            NotStartedError: the application is not running.
        """
        if self._running is None:
            raise NotStartedError("the catalogue is built when the application has started; run its lifespan first")
        return self._running.catalog

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Running]:
        """Run the application's lifespan without serving HTTP, as stdio and the command line need it."""
        async with self.app.router.lifespan_context(self.app) as state:
            if self._running is not None:  # mounted: the lifespan has built everything
                yield self._running
            else:
                async with self._built(state) as running:
                    yield running

    def _within_lifespan(self, endpoint: Endpoint) -> None:
        """Run inside the application's lifespan: its start-up comes first, and its shutdown last."""
        inner = self.app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(app: Any) -> AsyncGenerator[Mapping[str, Any] | None]:
            async with inner(app) as state, self._built(state) as running, endpoint.serving(running.server):
                yield state

        self.app.router.lifespan_context = lifespan  # pyright: ignore[reportAttributeAccessIssue]

    @asynccontextmanager
    async def _built(self, state: Mapping[str, Any] | None) -> AsyncGenerator[Running]:
        from toolway.protocol import build_server, call_context  # noqa: PLC0415 - see the module's docstring

        catalog = build_catalog(read_application(self.app), self._selection)
        dispatcher = Dispatcher(self.app, self.settings, state)
        calls = Calls(catalog, dispatcher, ignore_unknown=self.settings.ignore_unknown_arguments)

        def context_of(context: Any) -> CallContext:
            return call_context(context, self.settings)

        server = build_server(catalog, calls, context_of, self._name or self.app.title)
        self._running = Running(catalog, calls, server)
        try:
            yield self._running
        finally:
            self._running = None
            await dispatcher.close()


def mounted_on(app: FastAPI) -> Toolway | None:
    """The Toolway that is mounted on an application, if any."""
    return getattr(app.state, "toolway", None)
