"""Whole definitions of tools, as resources for clients that read more than the list contains.

https://modelcontextprotocol.io/specification/2026-07-28/server/resources
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from mcp.server.caching import CacheHint
from mcp_types import ReadResourceResult, ResourceTemplate, TextResourceContents

from toolway.catalog import Tool, tool_uri
from toolway.protocol.uris import canonical
from toolway.protocol.versions import Revision

__all__ = ["ToolDefinitions"]

_MEDIA_TYPE = "application/json"


class ToolDefinitions:
    """The whole definitions of tools, by URI."""

    def __init__(self, tools: Iterable[Tool], hint: CacheHint) -> None:
        self._tools = {canonical(tool_uri(tool.name)): tool for tool in tools}
        self._hint = hint

    @property
    def templates(self) -> list[ResourceTemplate]:
        """The entries in ``resources/templates/list``; none if the list of tools contains all whole definitions."""
        if not any(tool.is_abridged for tool in self._tools.values()):
            return []
        return [
            ResourceTemplate(
                uri_template=tool_uri("{name}"),
                name="tool_definition",
                title="Tool definition",
                description="The whole definition of a tool: its description, input schema and output schema.",
                mime_type=_MEDIA_TYPE,
            )
        ]

    def find(self, uri: str) -> Tool | None:
        """Return the tool that a URI names."""
        return self._tools.get(canonical(uri))

    def read(self, tool: Tool, uri: str, revision: Revision) -> ReadResourceResult:
        """Return the whole definition of a tool as JSON."""
        text = json.dumps(tool.whole_definition(wrapped=revision.wraps_structured_content), ensure_ascii=False)
        contents = TextResourceContents(uri=uri, mime_type=_MEDIA_TYPE, text=text)
        return ReadResourceResult(contents=[contents], ttl_ms=self._hint.ttl_ms, cache_scope=self._hint.scope)
