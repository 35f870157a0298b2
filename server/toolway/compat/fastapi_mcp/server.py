"""`FastApiMCP` itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from fastapi import APIRouter, Depends, FastAPI, params
from mcp.server.lowlevel import Server
from mcp_types import Tool

from toolway.compat.fastapi_mcp.auth import AuthConfig
from toolway.compat.fastapi_mcp.describe import Wording
from toolway.compat.fastapi_mcp.engine import Served
from toolway.compat.fastapi_mcp.filters import Filters
from toolway.compat.fastapi_mcp.inclusion import include_at_start
from toolway.compat.fastapi_mcp.notice import notify
from toolway.compat.fastapi_mcp.oauth import publish
from toolway.compat.fastapi_mcp.options import settings_with, tell_hosts, usable_client
from toolway.compat.fastapi_mcp.resource import challenge
from toolway.compat.fastapi_mcp.tools import listed, operation_map
from toolway.errors import ConfigurationError
from toolway.sources import Remote

__all__ = ["FastApiMCP"]


class FastApiMCP:
    """Serves a FastAPI application's operations as MCP tools, with the interface of fastapi-mcp 0.4.0.

    Args:
        fastapi: the application whose operations become tools.
        name: the server's name for clients; the application's title otherwise.
        description: the server's instructions for agents; the application's description otherwise.
        describe_all_responses: tell every documented answer in the tools' descriptions.
        describe_full_response_schema: tell the answers' JSON Schemas in the tools' descriptions.
        http_client: an `httpx2.AsyncClient` or `httpx.AsyncClient` with a ``base_url``; calls run in this process
            without one.
        include_operations: only these operation ids.
        exclude_operations: not these operation ids.
        include_tags: only operations with one of these tags.
        exclude_tags: no operation with one of these tags.
        auth_config: who may reach the MCP endpoint, and where clients get their tokens.
        headers: headers of the MCP request that are handed on to the endpoint.

    Raises:
        ValueError: operations, or tags, are both included and excluded.
        ConfigurationError: `http_client` is a client of neither httpx2 nor httpx.
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
        _tell_open(auth_config)
        filters = Filters(include_operations, exclude_operations, include_tags, exclude_tags)
        client = usable_client(http_client)
        self._served = Served(
            fastapi if client is None else Remote(fastapi, client=client),
            wording=Wording(self.description, describe_all_responses, describe_full_response_schema),
            name=self.name,
            filters=filters,
            settings=self._settings,
        )

    @property
    def tools(self) -> list[Tool]:
        """The tools, as clients get them."""
        return listed(self._served.read_catalog())

    @property
    def operation_map(self) -> dict[str, dict[str, Any]]:
        """What each tool calls: ``path``, ``method``, ``parameters`` and ``request_body``."""
        return operation_map(self._served.read_catalog())

    @property
    def server(self) -> Server[Any]:
        """The SDK's server of the running application; before its start, one that serves the operations known by now.

        Raises:
            FilterError: a filter matches nothing, or the filters leave nothing.
        """
        return self._served.server

    def mount_http(self, router: FastAPI | APIRouter | None = None, mount_path: str = "/mcp") -> None:
        """Serve MCP over Streamable HTTP at a path of any application or router; of `fastapi` where none is named.

        Raises:
            ConfigurationError: the path is taken, or `router` is neither an application nor a router.
        """
        target = self._target(router)
        path = "/" + mount_path.strip("/")
        self._served.mount(path, on=target, dependencies=self._guards())
        tell_hosts(self._settings)
        app = target if isinstance(target, FastAPI) else self.fastapi
        if isinstance(target, APIRouter):
            path = target.prefix + path
            include_at_start(app, target, path)
        if self._auth_config is not None:
            publish(self._auth_config, self._settings, app, path)

    def mount_sse(self, router: FastAPI | APIRouter | None = None, mount_path: str = "/sse") -> None:
        """Serve MCP over Streamable HTTP where fastapi-mcp served the transport of 2024-11-05."""
        _tell_transport("mount_sse")
        self.mount_http(router, mount_path)

    def mount(
        self, router: FastAPI | APIRouter | None = None, mount_path: str = "/mcp", transport: Literal["sse"] = "sse"
    ) -> None:
        """Serve MCP over Streamable HTTP; in fastapi-mcp a deprecated way to call `mount_sse`.

        Raises:
            ValueError: another transport than ``"sse"`` is asked for.
        """
        if transport != "sse":
            raise ValueError(f"expected transport to be 'sse', got {transport!r}; call mount_http()")
        _tell_transport("mount")
        self.mount_http(router, mount_path)

    def setup_server(self) -> None:
        """Read the operations again, for routes that were added while the application runs or after `server` was used.

        Raises:
            FilterError: a filter matches nothing, or the filters leave nothing.
        """
        self._served.refresh()

    def _target(self, router: object) -> FastAPI | APIRouter:
        target = self.fastapi if router is None else router
        if not isinstance(target, FastAPI | APIRouter):
            raise ConfigurationError(f"expected router to be a FastAPI application or an APIRouter, got {target!r}")
        return target

    def _guards(self) -> list[params.Depends]:
        config = self._auth_config
        if config is None:
            return []
        return [Depends(challenge(config, self._settings)), *(config.dependencies or ())]


def _tell_transport(method: str) -> None:
    notify(
        f"{method}() serves Streamable HTTP at the same path: the protocol has deprecated the SSE transport since"
        " 2025-03-26. Clients that are set to 'sse' must be set to 'http'; call mount_http() here."
    )


def _tell_open(config: AuthConfig | None) -> None:
    if config is not None and not config.dependencies:
        notify(
            "auth_config has no dependencies, so it lets everybody in, as with fastapi-mcp: the rest of it only tells"
            " clients where to get a token. Add dependencies=[Depends(verify)], where verify raises 401 without one."
        )
