"""`FastApiMCP`, the class of fastapi-mcp."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from fastapi import APIRouter, Depends, FastAPI, params, routing
from fastapi.routing import APIRoute
from mcp.server.lowlevel import Server
from mcp_types import Tool

from toolway import Remote
from toolway.compat.fastapi_mcp.auth_config import AuthConfig
from toolway.compat.fastapi_mcp.auth_routes import add_auth_routes, challenge_dependency
from toolway.compat.fastapi_mcp.call_options import settings_with, usable_client, warn_of_hosts
from toolway.compat.fastapi_mcp.migration_warning import warn_once
from toolway.compat.fastapi_mcp.operation_filters import Filters
from toolway.compat.fastapi_mcp.wording import WordedToolway, Wording, list_tools, operation_map
from toolway.errors import ConfigurationError
from toolway.host.lifespan import run_within
from toolway.openapi import has_endpoint

__all__ = ["FastApiMCP"]

_COPIES_ROUTES = not hasattr(routing, "iter_route_contexts")
"""Whether `include_router` copies routes (FastAPI before 0.137), and so misses those that are added later."""


class FastApiMCP:
    """The MCP server of a FastAPI application, with the interface of fastapi-mcp 0.4.0.

    Args:
        fastapi: the application whose operations become tools.
        name: the server's name for clients. Defaults to the application's title.
        description: the server's instructions for agents. Defaults to the application's description.
        describe_all_responses: list every documented response in the descriptions of tools.
        describe_full_response_schema: add the JSON Schemas of responses to the descriptions of tools.
        http_client: an `httpx2.AsyncClient` or `httpx.AsyncClient` with a ``base_url``. Without one, calls run in
            this process.
        include_operations: only these operation ids.
        exclude_operations: not these operation ids.
        include_tags: only operations with one of these tags.
        exclude_tags: no operation with one of these tags.
        auth_config: the guards of the MCP endpoint, and the authorization server that issues tokens.
        headers: headers of the MCP request to forward to endpoints.

    Raises:
        ValueError: operations, or tags, are both included and excluded.
        ConfigurationError: `http_client` is not a client of httpx2 or httpx.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - fastapi-mcp's own signature
        self,
        fastapi: FastAPI,
        name: str | None = None,
        description: str | None = None,
        describe_all_responses: bool = False,
        describe_full_response_schema: bool = False,
        http_client: Any = None,
        include_operations: Sequence[str] | None = None,
        exclude_operations: Sequence[str] | None = None,
        include_tags: Sequence[str] | None = None,
        exclude_tags: Sequence[str] | None = None,
        auth_config: AuthConfig | None = None,
        headers: Sequence[str] = ("authorization",),
    ) -> None:
        self.fastapi = fastapi
        self.name = name or fastapi.title or "FastAPI MCP"
        self.description = description or fastapi.description
        self._settings = settings_with(headers)
        self._auth_config = auth_config
        if auth_config is not None and not auth_config.dependencies:
            warn_once(
                "auth_config has no dependencies, so every request is accepted, as in fastapi-mcp: its other fields"
                " only show clients where to get a token. Add dependencies=[Depends(verify)], where verify raises 401."
            )
        filters = Filters(include_operations, exclude_operations, include_tags, exclude_tags)
        client = usable_client(http_client)
        self._toolway = WordedToolway(
            fastapi if client is None else Remote(fastapi, client=client),
            wording=Wording(self.description, describe_all_responses, describe_full_response_schema),
            name=self.name,
            filters=filters,
            settings=self._settings,
        )

    @property
    def tools(self) -> list[Tool]:
        """The tools, as clients receive them."""
        return list_tools(self._toolway.read_catalog())

    @property
    def operation_map(self) -> dict[str, dict[str, Any]]:
        """The operation of each tool: ``path``, ``method``, ``parameters`` and ``request_body``."""
        return operation_map(self._toolway.read_catalog())

    @property
    def server(self) -> Server[Any]:
        """The SDK's server of the running application. Before startup: a server of the operations known so far.

        Raises:
            FilterError: a filter matches nothing, or the filters leave nothing.
        """
        return self._toolway.server

    def mount_http(self, router: FastAPI | APIRouter | None = None, mount_path: str = "/mcp") -> None:
        """Serve MCP over Streamable HTTP at a path of an application or router. Defaults to `fastapi`.

        Raises:
            ConfigurationError: the path is taken, or `router` is neither an application nor a router.
        """
        target = self._target(router)
        path = "/" + mount_path.strip("/")
        self._toolway.mount(path, on=target, dependencies=self._guards())
        warn_of_hosts(self._settings)
        app = target if isinstance(target, FastAPI) else self.fastapi
        if isinstance(target, APIRouter):
            path = target.prefix + path
            _check_inclusion_at_startup(app, target, path)
        if self._auth_config is not None:
            add_auth_routes(self._auth_config, self._settings, app, path)

    def mount_sse(self, router: FastAPI | APIRouter | None = None, mount_path: str = "/sse") -> None:
        """Serve MCP over Streamable HTTP instead of the SSE transport of 2024-11-05."""
        _warn_of_transport("mount_sse")
        self.mount_http(router, mount_path)

    def mount(
        self, router: FastAPI | APIRouter | None = None, mount_path: str = "/mcp", transport: Literal["sse"] = "sse"
    ) -> None:
        """Serve MCP over Streamable HTTP; in fastapi-mcp, a deprecated alias of `mount_sse`.

        Raises:
            ValueError: `transport` is not ``"sse"``.
        """
        if transport != "sse":
            raise ValueError(f"expected transport to be 'sse', got {transport!r}; call mount_http()")
        _warn_of_transport("mount")
        self.mount_http(router, mount_path)

    def setup_server(self) -> None:
        """Read the operations again, if routes were added after startup or after `server` was used.

        Raises:
            FilterError: a filter matches nothing, or the filters leave nothing.
        """
        self._toolway.refresh()

    def _target(self, router: object) -> FastAPI | APIRouter:
        target = self.fastapi if router is None else router
        if not isinstance(target, FastAPI | APIRouter):
            raise ConfigurationError(f"expected router to be a FastAPI application or an APIRouter, got {target!r}")
        return target

    def _guards(self) -> list[params.Depends]:
        config = self._auth_config
        if config is None:
            return []
        return [Depends(challenge_dependency(config, self._settings)), *(config.dependencies or ())]


def _warn_of_transport(method: str) -> None:
    warn_once(
        f"{method}() serves Streamable HTTP at the same path, because MCP 2025-03-26 has deprecated the SSE transport."
        " Configure clients with 'http' instead of 'sse', and call mount_http()."
    )


def _check_inclusion_at_startup(app: FastAPI, router: APIRouter, path: str) -> None:
    """Warn at startup if the application does not include the router of an MCP endpoint.

    The endpoint is not served then: another application may include the router with its own guards. Only if
    `include_router` copies routes, the route is added with the router's own prefix and dependencies, because the router
    was probably included before the mount.
    """
    route = next(route for route in router.routes if isinstance(route, APIRoute) and route.path == path)

    @asynccontextmanager
    async def check(_app: object, _state: object) -> AsyncGenerator[None]:
        if not has_endpoint(app, route.endpoint):
            if _COPIES_ROUTES:
                warn_once(
                    f"{path} is on a router that was included before mount_http(), so it is served without the prefix"
                    " and the dependencies of include_router(). Call include_router() after mount_http()."
                )
                app.router.routes.insert(0, route)
            else:
                warn_once(
                    f"{path} is not served by the application {app.title!r}, because it does not include the router."
                    " fastapi-mcp added the route without the guards of include_router(). Call include_router()."
                )
        yield

    run_within(app.router, check)
