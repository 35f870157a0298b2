"""The SDK's low-level server for a catalog.

The SDK's `MCPServer` is not used: it derives its own schemas for tools, returns a result for an unknown tool, and
configures logging for the whole process.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.server.subscriptions import SubscriptionBus
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, Icon, SubscriptionsListenRequestParams
from pydantic import ValidationError

from toolway.calls import Invoker
from toolway.catalog import Catalog, CatalogMode
from toolway.errors import ServerShutdownError
from toolway.protocol.caching import list_hint, list_hints
from toolway.protocol.call_context import CallContextFactory
from toolway.protocol.handlers.completion import register_completion
from toolway.protocol.handlers.legacy_subscriptions import LegacySubscriptions
from toolway.protocol.handlers.prompts import register_prompts
from toolway.protocol.handlers.resources import Resources, register_resource_lists, register_resource_reads
from toolway.protocol.handlers.skills import SkillFiles, register_skills
from toolway.protocol.handlers.subscriptions import SubscriptionStreams
from toolway.protocol.handlers.tool_definitions import ToolDefinitions
from toolway.protocol.handlers.tools import call_tool_handler, register_tool_list
from toolway.protocol.requests import RequestContext
from toolway.protocol.tracing import trace_request
from toolway.results import ResultLimiter
from toolway.settings import Settings

__all__ = ["CatalogServer", "ServerConfig"]

logger = logging.getLogger("toolway.protocol")

VIEWS_EXTENSION = "io.modelcontextprotocol/ui"
"""The MCP Apps extension (SEP-1865): tools are linked to views, which clients show in a sandbox."""
_MAX_INSTRUCTION_BYTES = 2000
"""Clients truncate instructions at 2 kB, some in the middle of a word and without a warning."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The parts of a server besides its catalog."""

    name: str
    """Should be short: clients add it to the name of every tool."""
    instructions: str
    """Guidance for agents, in Markdown."""
    calls: Invoker
    settings: Settings
    bus: SubscriptionBus
    """Carries change events to the subscribers."""
    is_guarded: bool
    """Whether something in front of the endpoint may authenticate callers."""
    limiter: ResultLimiter | None = None
    """Truncates long results; None truncates nothing."""
    mode: CatalogMode = "list"
    """How the catalog is offered, unless the URL of a request asks for another way."""
    modes: frozenset[CatalogMode] = frozenset({"list"})
    """The ways that a request may ask for."""


class CatalogServer(Server[Any]):
    """An MCP server for a catalog that can be replaced while it runs.

    Raises:
        ConfigurationError: an argument declares an ``Mcp-Param-*`` header in a way that makes clients drop the tool, or
            a resource has an invalid URI.
    """

    def __init__(self, catalog: Catalog, config: ServerConfig) -> None:
        self.config = config
        self.call_contexts = CallContextFactory(config.settings)
        super().__init__(
            config.name,
            version=catalog.version,
            icons=[Icon(src=address) for address in config.settings.icons] or None,
            title=catalog.title or None,
            instructions=_truncate_instructions(config.instructions) or None,
            on_call_tool=call_tool_handler(config.calls, self.call_contexts, config.limiter),
        )
        # trace_request replaces the SDK's span, which lacks the connection's attributes
        self.middleware[:] = [trace_request, _hide_internal_errors]
        self._notification_options = NotificationOptions()
        self._listed: Mapping[str, object] = {}
        self.replace_catalog(catalog)
        max_streams = config.settings.max_subscriptions
        self.subscriptions = SubscriptionStreams(self, config.bus, self._has_resource, max_streams)
        self._legacy_subscriptions = LegacySubscriptions(config.bus, self._has_resource)
        self.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, self.subscriptions)
        if config.settings.stateful:
            self.enable_session_notifications()

    def replace_catalog(self, catalog: Catalog) -> frozenset[str]:
        """Serve this catalog from now on, and return the names of the lists that have changed.

        Raises:
            ConfigurationError: as in the constructor; the previous catalog stays.
        """
        calls, contexts = self.config.calls, self.call_contexts
        resources = Resources(catalog.resources, catalog.views)
        register_tool_list(self, catalog, calls, contexts, default=self.config.mode, offered=self.config.modes)
        hint = list_hint(catalog, self.config.settings, is_guarded=self.config.is_guarded)
        files = SkillFiles(catalog.skills, hint)
        self._resources, self._files = resources, files
        if catalog.views:
            self.extensions[VIEWS_EXTENSION] = {}
        definitions = ToolDefinitions(catalog.listed(), hint)
        if self._has(catalog.resources or catalog.skills or catalog.views or definitions.templates, "resources/list"):
            register_resource_lists(self, resources, catalog.skills, definitions, calls, contexts)
        register_resource_reads(self, resources, files, definitions, calls, contexts, self.config)
        if self._has(catalog.skills, "skills/list"):
            register_skills(self, catalog.skills, files, hint)
        if self._has(catalog.prompts, "prompts/list"):
            register_prompts(self, catalog.prompts, calls, contexts)
        if self._has(catalog.resources or catalog.prompts, "completion/complete"):
            register_completion(self, catalog.prompts, resources, calls, contexts)
        self.call_contexts.log_levels.register(self, catalog.tools.values())
        self.cache_hints = list_hints(hint)
        before, self._listed = self._listed, catalog.definitions()
        return frozenset(name for name, entries in self._listed.items() if before.get(name) != entries)

    def _has(self, entries: object, method: str) -> bool:
        """Return whether a method is needed, or was before: its list is empty then rather than an unknown method."""
        return bool(entries) or self.get_request_handler(method) is not None

    def _has_resource(self, uri: str) -> bool:
        return uri in self._files or self._resources.find(uri) is not None

    def enable_session_notifications(self) -> None:
        """Notify sessions of MCP 2024-11-05 to 2025-11-25 of changes; only if a session outlives its first request."""
        self._legacy_subscriptions.register(self)
        self._notification_options = NotificationOptions(
            tools_changed=True, prompts_changed=True, resources_changed=True
        )

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """Return the capabilities; the SDK calls this for every session."""
        options = notification_options or self._notification_options
        return super().create_initialization_options(options, experimental_capabilities, extensions)

    async def close(self) -> None:
        """End all subscription streams."""
        await self.subscriptions.close()


async def _hide_internal_errors(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Replace an exception by an error with a reference: before 2026-07-28 the SDK sends the exception's text."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):  # the SDK sends "Invalid request parameters" for the second
        raise
    except ServerShutdownError as error:
        raise MCPError(INTERNAL_ERROR, str(error)) from error
    except Exception as error:
        reference = secrets.token_hex(6)
        logger.exception("%s failed, reference %s", ctx.method, reference)
        raise MCPError(INTERNAL_ERROR, f"Internal error. Reference: {reference}") from error


def _truncate_instructions(text: str) -> str:
    """Truncate long instructions at the end of a line, a sentence or a word, and log a warning."""
    text = text.strip()
    if len(text.encode()) <= _MAX_INSTRUCTION_BYTES:
        return text
    kept = text.encode()[:_MAX_INSTRUCTION_BYTES].decode(errors="ignore")
    ends = (kept.rfind("\n"), kept.rfind(". ") + 1, kept.rfind(" "))
    kept = kept[: next((end for end in ends if end > _MAX_INSTRUCTION_BYTES // 2), len(kept))].rstrip()
    logger.warning(
        "the instructions were truncated to the %d bytes that clients show; they now end with %r",
        _MAX_INSTRUCTION_BYTES,
        kept[-40:],
    )
    return kept
