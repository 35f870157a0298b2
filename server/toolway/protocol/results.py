"""Outcomes in the words of MCP."""

from __future__ import annotations

import base64
import json
from typing import Any

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    TextContent,
)
from pydantic import TypeAdapter

from toolway.calls import Audio, Blob, Content, Image, McpContent, Outcome, Text
from toolway.catalog import Tool
from toolway.protocol.versions import Revision

__all__ = ["ERROR_KEY", "base64_text", "tool_result"]

ERROR_KEY = "toolway/error"
"""Where a result's ``_meta`` says of a failure what a program can read."""

_BLOCK = TypeAdapter[ContentBlock](ContentBlock)


def tool_result(tool: Tool | None, outcome: Outcome, revision: Revision) -> CallToolResult:
    """Write an outcome as the result of ``tools/call`` (server/tools of the specification).

    The tool may be None, as for a task that outlived it, if the revision does not wrap structured content.
    """
    return CallToolResult(
        content=[_block(entry) for entry in outcome.content],
        structured_content=_structured(tool, outcome, revision),
        is_error=outcome.is_error,
        _meta={ERROR_KEY: dict(outcome.error)} if outcome.error is not None else None,
    )


def _structured(tool: Tool | None, outcome: Outcome, revision: Revision) -> Any:
    if outcome.structured is None:
        return None
    value: Any = json.loads(outcome.structured)
    wraps = revision.wraps_structured_content and (tool is None or tool.wraps_output or not _is_object(value))
    return {"result": value} if wraps else value


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _block(content: Content) -> ContentBlock:
    match content:
        case McpContent(block):
            return _BLOCK.validate_python(block)
        case Text(text):
            return TextContent(text=text)
        case Image(data, media_type):
            return ImageContent(data=base64_text(data), mime_type=media_type)
        case Audio(data, media_type):
            return AudioContent(data=base64_text(data), mime_type=media_type)
        case Blob(data, media_type, uri):
            return EmbeddedResource(
                resource=BlobResourceContents(uri=uri, mime_type=media_type, blob=base64_text(data))
            )


def base64_text(data: bytes) -> str:
    """Write bytes as MCP carries them."""
    return base64.b64encode(data).decode("ascii")
