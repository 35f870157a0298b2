"""``tools/list`` and ``tools/call``.

https://modelcontextprotocol.io/specification/2026-07-28/server/tools
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeAlias

from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import find_invalid_x_mcp_header
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from mcp_types import (
    Tool as ListedTool,
)
from starlette.requests import Request

from toolway.calls import Invoker
from toolway.catalog import Catalog, CatalogMode, Tool, read_mode
from toolway.catalog.schema.traversal import iter_schemas
from toolway.errors import ConfigurationError, UnknownToolError
from toolway.protocol.call_context import CallContextFactory
from toolway.protocol.handlers.elicitation import input_required_result
from toolway.protocol.requests import RequestContext, check_cursor
from toolway.protocol.results import tool_result
from toolway.protocol.versions import revision_for
from toolway.results import ResultLimiter
from toolway.search_mode import with_signature

__all__ = ["call_tool_handler", "register_tool_list"]

CallTool: TypeAlias = Callable[[RequestContext, CallToolRequestParams], Awaitable[CallToolResult | InputRequiredResult]]


def register_tool_list(
    server: Server[Any],
    catalog: Catalog,
    calls: Invoker,
    call_contexts: CallContextFactory,
    *,
    default: CatalogMode,
    offered: Collection[CatalogMode],
) -> None:
    """Serve ``tools/list`` for these tools, and have their ``Mcp-Param-*`` headers checked.

    Args:
        server: the server.
        catalog: the tools.
        calls: knows which tools a caller may see.
        call_contexts: creates the contexts of requests.
        default: the mode of the catalog.
        offered: the modes that the URL of a request may ask for.

    Raises:
        ConfigurationError: an argument declares such a header in a way that makes clients drop the tool.
    """
    lists = {
        (mode, wrapped): ListToolsResult(
            tools=[ListedTool.model_validate(tool.definition(wrapped=wrapped)) for tool in catalog.listed(mode)]
        )
        for mode in offered
        for wrapped in (False, True)
    }
    schemas_with_headers = {
        tool.name: tool.input_schema for tool in catalog.tools.values() if _has_header_arguments(tool)
    }

    async def list_tools(context: RequestContext, params: PaginatedRequestParams | None) -> ListToolsResult:
        check_cursor(params)
        mode = _mode_of(context, default, offered)
        listed = lists[mode, revision_for(context.protocol_version).wraps_structured_content]
        if not calls.policy.hides_tools:
            return listed
        shown = calls.shown(call_contexts.create(context))
        return ListToolsResult(
            tools=[tool for tool in listed.tools if tool.name in shown or tool.name in catalog.built_in]
        )

    server.add_request_handler("tools/list", PaginatedRequestParams, list_tools)
    server.get_tool_input_schema = schemas_with_headers.get


def _mode_of(context: RequestContext, default: CatalogMode, offered: Collection[CatalogMode]) -> CatalogMode:
    request = context.request
    if not isinstance(request, Request):
        return default
    try:
        return read_mode(request.query_params.multi_items(), default, offered)
    except ConfigurationError as error:
        raise MCPError(INVALID_PARAMS, f"Invalid request: {error}") from error


def _has_header_arguments(tool: Tool) -> bool:
    if not any("x-mcp-header" in schema for schema in iter_schemas(tool.input_schema)):
        return False
    if problem := find_invalid_x_mcp_header(tool.input_schema):
        raise ConfigurationError(f"tool {tool.name!r}: {problem}; clients would drop the tool")
    return True


def call_tool_handler(calls: Invoker, call_contexts: CallContextFactory, limiter: ResultLimiter | None) -> CallTool:
    """Return the handler of ``tools/call``."""

    async def call_tool(context: RequestContext, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
        call = call_contexts.create(context)
        try:
            resolved = calls.resolve(params.name, params.arguments or {}, call)
        except UnknownToolError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error
        tool = resolved.tool
        outcome = await calls.perform(tool, resolved.arguments, call, fields=resolved.fields)
        if tool.name != params.name:
            outcome = with_signature(tool, outcome)
        if limiter is not None and limiter.exceeds(outcome):
            outcome = await limiter.truncate(tool, outcome, call)
        return input_required_result(call) or tool_result(tool, outcome, revision_for(context.protocol_version))

    return call_tool
