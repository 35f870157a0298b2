"""The SDK's low-level server over a catalogue.

`MCPServer` is not used: it cannot take a tool's schema as it is, answers an unknown tool with a result, and configures
logging for the whole process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from mcp_types import (
    Tool as ListedTool,
)

from toolway.calls import CallContext, Calls
from toolway.catalog import Catalog, Tool
from toolway.errors import UnknownToolError
from toolway.protocol.results import MODERN, tool_result

__all__ = ["Context", "build_server"]

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
    """
    listings = {wrapped: _listing(catalog, wrapped=wrapped) for wrapped in (False, True)}
    routed = {tool.name: tool.input_schema for tool in catalog.tools.values() if _declares_headers(tool)}

    async def list_tools(context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        if params is not None and params.cursor is not None:
            raise MCPError(INVALID_PARAMS, f"Unknown cursor: {params.cursor!r}; the list has a single page")
        return listings[context.protocol_version < MODERN]

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        try:
            tool = calls.tool(params.name)
        except UnknownToolError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error
        outcome = await calls.call(params.name, params.arguments or {}, context_of(context))
        return tool_result(tool, outcome, context.protocol_version)

    return Server(
        name,
        version=catalog.version,
        title=catalog.title or None,
        instructions=catalog.description[:_LONGEST_INSTRUCTIONS] or None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=routed.get,
    )


def _listing(catalog: Catalog, *, wrapped: bool) -> ListToolsResult:
    tools = [ListedTool.model_validate(tool.definition(wrapped=wrapped)) for tool in catalog.tools.values()]
    return ListToolsResult(tools=tools)


def _declares_headers(tool: Tool) -> bool:
    """Tell whether a schema asks for ``Mcp-Param-*`` headers; only those are checked against the arguments."""
    return any("x-mcp-header" in argument.schema for argument in tool.arguments.values()) or "x-mcp-header" in str(
        tool.input_schema
    )
