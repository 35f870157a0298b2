"""`Toolway`: the endpoints of FastAPI applications, served as MCP tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Never

from fastapi import APIRouter, FastAPI, params

from toolway.catalog import Catalog, CatalogChoice, Exposure, Filter, Selection
from toolway.console.offline_docs import serve_docs_offline
from toolway.engine import Engine
from toolway.errors import ConfigurationError, NotStartedError
from toolway.settings import OutputSchemas, SchemaProfile, Settings, settings_of
from toolway.sources import Remote, Source, combined, source_of

if TYPE_CHECKING:
    from mcp.server.subscriptions import SubscriptionBus
    from starlette.types import ASGIApp

__all__ = ["Toolway", "engine_of"]

_REPLACED = {
    "client": "Toolway(Remote(app, client=...))",
    "http_client": "Toolway(Remote(app, client=...))",
    "description": "instructions='...'",
    "headers": "settings=Settings(forward_headers=[...])",
    "auth_config": "mount(dependencies=[Depends(...)])",
    "base_url": "settings=Settings(public_url='...')",
    "public_url": "settings=Settings(public_url='...')",
    "route_maps": "include={...} and exclude={...}",
    **{
        f"{side}_{key}": f"{side}={{{key!r}: [...]}}"
        for side in ("include", "exclude")
        for key in Filter.__annotations__
    },
}
"""Options of fastapi-mcp, of FastMCP, or from before 1.0, and their replacements."""
_INTERNAL = {
    "source": "app",
    "places": "path",
    "site": "asgi()",
    "running": "asgi(), or toolway.testing.MCPTestClient in tests",
}
"""Attributes from before 1.0 that are internal now, and their replacements."""


class Toolway:
    """The MCP server of a FastAPI application, or of several applications together.

    Args:
        app: the application, or a `Remote` that runs in another process. A mapping serves several: each key is the
            prefix of its tools' names, each value an application, a `Remote`, or a Toolway with its own filters and
            settings.
        name: the server's name, which clients put before the names of tools. Defaults to the application's title, and
            to ``toolway`` for several applications.
        include: only these operations are tools.
        exclude: these operations are not tools.
        expose: ``"marked"`` makes tools only of endpoints with an `agent_tool` marker.
        instructions: guidance for agents before they call a tool, up to 2,000 bytes. Defaults to the application's
            description.
        skills: a folder of skills, each a folder with a ``SKILL.md``; served under the official extension.
        schemas: how definitions of tools are listed (``"lean"``, ``"full"``, ``"portable"`` or ``"strict"``). Defaults
            to the setting of this name, as do the next two.
        schema_tokens: the longest definition of a tool, in tokens of four bytes.
        output_schemas: whether output schemas are listed; ``"auto"`` lists them unless the list becomes long.
        bus: delivers change notifications to subscribed clients. By default, to those of this process.
        settings: hosts, limits and the like. Defaults to the environment (``TOOLWAY_...``).
        header_arguments: headers and cookies that are arguments of tools although they would be taken from the MCP
            request. Defaults to the setting of this name.
        caller_headers: headers and cookies that every endpoint receives from the MCP request, and that are never
            arguments. Defaults to the setting of this name.
        hooks: objects whose method ``call`` runs around every call, whose method ``visible`` decides which tools a
            caller may see, or both; the first one is the outermost. See `toolway.policy`.
        catalog: ``"list"`` lists all tools, ``"search"`` only tools that find and call the others, ``"code"`` tools
            that find the others and run programs. Defaults to the setting of this name: ``"auto"``, which searches
            catalogs of more than 128 tools or 25,000 tokens. A client chooses with ``/mcp?catalog=list``.
        pinned: names of tools that are listed in every mode.

    Raises:
        ConfigurationError: a filter has an unknown key, a variable of the environment cannot be read, the client of a
            `Remote` has no base URL, a prefix is not valid, filters are given for several applications, an option
            has another name in fastapi-mcp or before 1.0, or an object in `hooks` is not a hook.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        app: FastAPI | Remote | Mapping[str, FastAPI | Remote | Toolway],
        *removed: Never,
        name: str | None = None,
        include: Filter | None = None,
        exclude: Filter | None = None,
        expose: Exposure = "all",
        instructions: str | None = None,
        skills: str | Path | None = None,
        schemas: SchemaProfile | None = None,
        schema_tokens: int | None = None,
        output_schemas: OutputSchemas | None = None,
        bus: SubscriptionBus | None = None,
        settings: Settings | None = None,
        header_arguments: Sequence[str] | None = None,
        caller_headers: Sequence[str] | None = None,
        hooks: Sequence[object] = (),
        catalog: CatalogChoice | None = None,
        pinned: Sequence[str] = (),
        **unknown: Never,
    ) -> None:
        _refuse_options(removed, unknown)
        settings = settings_of(settings).replaced(
            header_arguments=header_arguments,
            caller_headers=caller_headers,
            schemas=schemas,
            schema_tokens=schema_tokens,
            output_schemas=output_schemas,
            catalog=catalog,
        )
        selection = Selection(include or {}, exclude or {}, expose)
        if isinstance(app, Mapping):
            source = _combine(app, selection, settings, name or "toolway")
        else:
            source = source_of(app, selection, settings)
        self._engine = Engine(
            self,
            source,
            settings,
            name=name,
            instructions=instructions,
            skills=skills,
            bus=bus,
            hooks=hooks,
            pinned=pinned,
        )

    def mount(
        self,
        path: str = "/mcp",
        *,
        on: FastAPI | APIRouter | None = None,
        dependencies: Sequence[params.Depends] = (),
        offline_docs: bool = False,
    ) -> Toolway:
        """Serve MCP at a path of the application.

        This adds a route and wraps the lifespan; nothing else of the application changes. The catalog is built at
        startup, so routes may be added until then. A filter that matches nothing makes startup fail with a
        `FilterError`.

        Args:
            path: the path of the MCP endpoint; below the prefix of a router.
            on: another application, or a router that an application includes. Its own dependencies guard the path. The
                served application's lifespan runs within that of the other application, unless it is already running.
                Call ``include_router`` after ``mount`` if the router is included in another application than the
                served one, or with FastAPI before 0.137.
            dependencies: FastAPI dependencies that guard the path, for every HTTP method.
            offline_docs: serve Swagger UI and ReDoc from files on this machine, without a network.

        Raises:
            ConfigurationError: the path is taken or not absolute, or a dependency is not a FastAPI dependency.
        """
        self._engine.mount(path, self.app if on is None else on, dependencies)
        if offline_docs:
            serve_docs_offline(self.app)
        return self

    def asgi(self, path: str = "/mcp", *, dependencies: Sequence[params.Depends] = ()) -> ASGIApp:
        """Return an ASGI application that serves MCP at `path`, and none of the application's own routes.

        The served application runs within its lifespan. A server needs nothing else: ``uvicorn.run(toolway.asgi())``.

        Args:
            path: the path of the MCP endpoint.
            dependencies: FastAPI dependencies that guard the path, for every HTTP method.

        Raises:
            ConfigurationError: as for `mount`.
        """
        host = FastAPI(title=self.app.title, openapi_url=None)
        self.mount(path, on=host, dependencies=dependencies)
        return host

    @property
    def app(self) -> FastAPI:
        """The served application; for a `Remote` with a document, and for several, one that serves MCP alone."""
        return self._engine.app

    @property
    def settings(self) -> Settings:
        """The settings of the server."""
        return self._engine.settings

    @property
    def path(self) -> str | None:
        """The path of the first mount, with the prefixes of routers if they are known; None before `mount`."""
        return self._engine.path

    @property
    def is_running(self) -> bool:
        """Whether the application has started."""
        return self._engine.running is not None

    @property
    def catalog(self) -> Catalog:
        """The catalog of the running application.

        Raises:
            NotStartedError: the application is not running.
        """
        if self._engine.running is None:
            raise NotStartedError(
                "the catalog is available only while the application runs; use read_catalog() before startup"
            )
        return self._engine.running.catalog

    def read_catalog(self) -> Catalog:
        """Return the catalog of the application as it is now, whether it is running or not.

        Raises:
            FilterError: a filter matches no operation.
            DocumentError: the application's OpenAPI document cannot be read.
            ConfigurationError: a marker or a skill is not valid.
        """
        return self._engine.build_catalog()

    def refresh(self) -> None:
        """Serve the routes that were added since startup, and notify clients of the lists that have changed.

        Calls in progress end as they began. Before startup this does nothing. After an error the old catalog stays.

        Raises:
            ConfigurationError: a tool runs as a task, but none did at startup, when the task store is opened; or
                `read_catalog` raises it.
        """
        self._engine.refresh()

    def changed(self, *uris: str, tools: bool = False, prompts: bool = False, resources: bool = False) -> None:
        """Notify subscribed clients that resources, or whole lists, have changed.

        Safe in any thread; does not block. Does nothing unless the application is running.

        Args:
            uris: URIs of the resources that have changed: ``"orders://#W1"``, percent-encoded or not.
            tools: whether the list of tools has changed; `refresh` reports it automatically.
            prompts: whether the list of prompts has changed; `refresh` reports it automatically.
            resources: whether the list of resources has changed; `refresh` reports it automatically.
        """
        if self._engine.running is not None:
            lists = {"tools": tools, "prompts": prompts, "resources": resources}
            self._engine.running.publisher.publish(uris, [name for name, has_changed in lists.items() if has_changed])

    if not TYPE_CHECKING:  # a type checker would accept every attribute

        def __getattr__(self, name: str) -> Never:
            if name in _INTERNAL:
                raise AttributeError(f"Toolway.{name} is internal since 1.0; use {_INTERNAL[name]}")
            raise AttributeError(f"'Toolway' object has no attribute {name!r}")


def engine_of(toolway: Toolway) -> Engine:
    """Return the internal side of a Toolway."""
    return toolway._engine  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - for the rest of the package


def _refuse_options(positional: Sequence[object], named: Mapping[str, object]) -> None:
    """Raise an error that names the replacement of an option."""
    if positional:
        raise ConfigurationError(
            "Toolway() takes one positional argument; instead of Toolway(app, client), "
            "use Toolway(Remote(app, client=client))"
        )
    for name in named:
        if name in _REPLACED:
            raise ConfigurationError(f"Toolway has no option {name!r}; use {_REPLACED[name]}")
        raise TypeError(f"Toolway() got an unexpected keyword argument {name!r}")


def _combine(
    apps: Mapping[str, FastAPI | Remote | Toolway], selection: Selection, settings: Settings, title: str
) -> Source:
    if selection != Selection():
        raise ConfigurationError(
            "include, exclude and expose apply to one application; set them for each one: "
            "Toolway({'shop': Toolway(shop, include=...)})"
        )
    if any(isinstance(app, Toolway) and engine_of(app).has_hooks for app in apps.values()):
        raise ConfigurationError("hooks are around the calls of all applications; pass them to the combining Toolway")
    return combined(
        {
            prefix: engine_of(app).source if isinstance(app, Toolway) else source_of(app, selection, settings)
            for prefix, app in apps.items()
        },
        title,
    )
