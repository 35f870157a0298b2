"""The SDK's low-level server over a catalogue.

`MCPServer` is not used: it cannot take a tool's schema as it is, answers an unknown tool with a result, and configures
logging for the whole process.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import find_invalid_x_mcp_header
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListToolsResult,
    PaginatedRequestParams,
    SubscriptionsListenRequestParams,
)
from mcp_types import (
    Tool as ListedTool,
)
from pydantic import ValidationError

from toolway.calls import Invoker
from toolway.catalog import Catalog, Tool
from toolway.catalog.schema.traversal import children
from toolway.errors import ConfigurationError, ServerShutdownError, UnknownToolError
from toolway.openapi import Schema
from toolway.protocol.caching import list_hint, list_hints
from toolway.protocol.context import Context, ContextOf
from toolway.protocol.handlers.completion import offer_completion
from toolway.protocol.handlers.elicitation import questions_of
from toolway.protocol.handlers.legacy_subscriptions import Sessions
from toolway.protocol.handlers.prompts import offer_prompts
from toolway.protocol.handlers.resources import Resources, offer_resources
from toolway.protocol.handlers.skills import SkillFiles, offer_skills
from toolway.protocol.handlers.subscriptions import SubscriptionStreams
from toolway.protocol.instructions import truncate_instructions
from toolway.protocol.pagination import check_page
from toolway.protocol.results import tool_result
from toolway.protocol.tracing import trace_request
from toolway.protocol.versions import revision_for
from toolway.protocol.wiring import Wiring

__all__ = ["CatalogServer"]

logger = logging.getLogger("toolway.protocol")


class CatalogServer(Server[Any]):
    """The server that offers what is in a catalogue.

    Args:
        catalog: what is offered first.
        wiring: everything else.

    Raises:
        ConfigurationError: an argument asks for an ``Mcp-Param-*`` header in a way for which clients drop the tool, or
            a resource has a URI that cannot be served.
    """

    def __init__(self, catalog: Catalog, wiring: Wiring) -> None:
        super().__init__(
            wiring.name,
            version=catalog.version,
            title=catalog.title or None,
            instructions=truncate_instructions(wiring.instructions) or None,
            on_call_tool=_calling(wiring.calls, wiring.context_of),
        )
        self.wiring = wiring
        self.middleware[:] = [trace_request, _contained]  # and not the SDK's span, which knows less
        self._notices = NotificationOptions()
        self._listed: Mapping[str, object] = {}
        self.offer(catalog)
        self.listening = SubscriptionStreams(self, wiring.bus, self._serves, wiring.settings.max_subscriptions)
        self._sessions = Sessions(wiring.bus, self._serves)
        self.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, self.listening)
        if wiring.settings.stateful:
            self.keep_sessions()

    def offer(self, catalog: Catalog) -> frozenset[str]:
        """Offer what is in a catalogue in place of what was offered so far, and return the lists that differ.

        Raises:
            ConfigurationError: as when it is made; everything is as it was then.
        """
        resources = Resources(catalog.resources)
        offer_tools(self, catalog, self.wiring)
        hint = list_hint(catalog, self.wiring.settings, guarded=self.wiring.guarded)
        files = SkillFiles(catalog.skills, hint)
        self._resources, self._files = resources, files
        calls, context_of = self.wiring.calls, self.wiring.context_of
        if self._has(catalog.resources or catalog.skills, "resources/list"):
            offer_resources(self, resources, catalog.skills, files, self.wiring)
        if self._has(catalog.skills, "skills/list"):
            offer_skills(self, catalog.skills, files, hint)
        if self._has(catalog.prompts, "prompts/list"):
            offer_prompts(self, catalog.prompts, calls, context_of)
        if self._has(catalog.resources or catalog.prompts, "completion/complete"):
            offer_completion(self, catalog.prompts, resources, calls, context_of)
        self.wiring.levels.offer(self, catalog.tools.values())
        self.cache_hints = list_hints(hint)
        before, self._listed = self._listed, catalog.definitions()
        return frozenset(name for name, entries in self._listed.items() if before.get(name) != entries)

    def _has(self, things: object, method: str) -> bool:
        """Tell whether there is something to offer, or was before: its list is empty then, and no error."""
        return bool(things) or self.get_request_handler(method) is not None

    def _serves(self, uri: str) -> bool:
        return uri in self._files or self._resources.find(uri) is not None

    def keep_sessions(self) -> None:
        """Tell sessions of handshake revisions what has changed; only where a session lasts longer than one request."""
        self._sessions.serve(self)
        self._notices = NotificationOptions(tools_changed=True, prompts_changed=True, resources_changed=True)

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """Say what can be done here, as the SDK asks it for every session."""
        notices = notification_options or self._notices
        return super().create_initialization_options(notices, experimental_capabilities, extensions)

    async def close(self) -> None:
        """Tell everybody who listens for changes that there will be no more."""
        await self.listening.close()


def offer_tools(server: Server[Any], catalog: Catalog, wiring: Wiring) -> None:
    """List these tools, in place of what the server has listed so far."""
    listings = {wrapped: _listing(catalog, wrapped=wrapped) for wrapped in (False, True)}
    routed = {tool.name: tool.input_schema for tool in catalog.tools.values() if _declares_headers(tool)}

    async def list_tools(context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        check_page(params)
        listing = listings[revision_for(context.protocol_version).wraps_structured_content]
        if not wiring.calls.policy.hides_tools:
            return listing
        shown = wiring.calls.shown(wiring.context_of(context))
        return ListToolsResult(tools=[tool for tool in listing.tools if tool.name in shown])

    server.add_request_handler("tools/list", PaginatedRequestParams, list_tools)
    server.get_tool_input_schema = routed.get


def _calling(
    calls: Invoker, context_of: ContextOf
) -> Callable[[Context, CallToolRequestParams], Awaitable[CallToolResult | InputRequiredResult]]:
    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
        call = context_of(context)
        try:
            tool = calls.tool(params.name, call)
        except UnknownToolError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error
        outcome = await calls.perform(tool, params.arguments or {}, call)
        return questions_of(call) or tool_result(tool, outcome, revision_for(context.protocol_version))

    return call_tool


async def _contained(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Keep what goes wrong inside from the caller: before 2026-07-28 the SDK hands on an exception's text."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):  # answers already: the second becomes "Invalid request parameters"
        raise
    except ServerShutdownError as error:
        raise MCPError(INTERNAL_ERROR, str(error)) from error
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
