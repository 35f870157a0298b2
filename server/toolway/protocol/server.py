"""The SDK's low-level server over a catalogue.

`MCPServer` is not used: it cannot take a tool's schema as it is, answers an unknown tool with a result, and configures
logging for the whole process.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import find_invalid_x_mcp_header
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from mcp_types import (
    Tool as ListedTool,
)
from pydantic import ValidationError

from toolway.calls import CallContext, Calls
from toolway.catalog import Catalog, Tool
from toolway.catalog.walk import children
from toolway.errors import ConfigurationError, UnknownToolError
from toolway.operations import Schema
from toolway.protocol.results import MODERN, tool_result

__all__ = ["Context", "build_server"]

logger = logging.getLogger("toolway.protocol")

Context = ServerRequestContext[Any, Any]

_LONGEST_INSTRUCTIONS = 2000
"""Clients cut instructions at 2 kB."""


def build_server(
    catalog: Catalog, calls: Calls, context_of: Callable[[Context], CallContext], name: str
) -> Server[Any]:
    """Make the server that answers ``tools/list`` and ``tools/call``.

    Args:
        catalog: what is listed.
        calls: what runs a call.
        context_of: tells who calls, and over what.
        name: the server's name for clients; short, as they put it before every tool's name.

    Raises:
        ConfigurationError: an argument asks for an ``Mcp-Param-*`` header in a way for which clients drop the tool.
    """
    listings = {wrapped: _listing(catalog, wrapped=wrapped) for wrapped in (False, True)}
    routed = {tool.name: tool.input_schema for tool in catalog.tools.values() if _declares_headers(tool)}

    async def list_tools(context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        if params is not None and params.cursor is not None:
            raise MCPError(INVALID_PARAMS, f"Unknown cursor: {params.cursor[:100]!r}; the list has a single page")
        return listings[context.protocol_version < MODERN]

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        try:
            tool = calls.tool(params.name)
        except UnknownToolError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error
        outcome = await calls.call(params.name, params.arguments or {}, context_of(context))
        return tool_result(tool, outcome, context.protocol_version)

    server: Server[Any] = Server(
        name,
        version=catalog.version,
        title=catalog.title or None,
        instructions=catalog.description[:_LONGEST_INSTRUCTIONS] or None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=routed.get,
    )
    server.middleware.append(_contained)
    return server


async def _contained(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Keep what goes wrong inside from the caller: before 2026-07-28 the SDK hands on an exception's text."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):  # answers already: the second becomes "Invalid request parameters"
        raise
    except Exception as error:
        reference = secrets.token_hex(6)
        logger.exception("%s failed, reference %s", ctx.method, reference)
        raise MCPError(INTERNAL_ERROR, f"Internal error. Reference: {reference}") from error


def _listing(catalog: Catalog, *, wrapped: bool) -> ListToolsResult:
    tools = [ListedTool.model_validate(tool.definition(wrapped=wrapped)) for tool in catalog.tools.values()]
    return ListToolsResult(tools=tools)


def _declares_headers(tool: Tool) -> bool:
    """Tell whether a schema asks for ``Mcp-Param-*`` headers; only those are checked against the arguments."""
    if not any("x-mcp-header" in schema for schema in _within(tool.input_schema)):
        return False
    if problem := find_invalid_x_mcp_header(tool.input_schema):
        raise ConfigurationError(f"tool {tool.name!r}: {problem}; clients would drop the tool")
    return True


def _within(schema: Schema) -> Iterator[Schema]:
    """The schema and every schema inside it."""
    pending = [schema]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(children(node))
