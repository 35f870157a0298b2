"""Outcomes in the words of MCP."""

from __future__ import annotations

import json
from typing import Any

from mcp_types import BlobResourceContents, CallToolResult, TextResourceContents
from pydantic import TypeAdapter

from toolway.calls import Outcome
from toolway.catalog import Tool
from toolway.content import ResourceContents
from toolway.protocol.versions import Revision

__all__ = ["ERROR_KEY", "resource_contents", "result_members", "tool_result"]

ERROR_KEY = "toolway/error"
"""Where a result's ``_meta`` says of a failure what a program can read."""

_CONTENTS = TypeAdapter[TextResourceContents | BlobResourceContents](TextResourceContents | BlobResourceContents)


def tool_result(tool: Tool | None, outcome: Outcome, revision: Revision) -> CallToolResult:
    """Write an outcome as the result of ``tools/call`` (server/tools of the specification).

    The tool may be None, as for a task that outlived it, if the revision does not wrap structured content.
    """
    return CallToolResult.model_validate(result_members(tool, outcome, revision))


def result_members(tool: Tool | None, outcome: Outcome, revision: Revision) -> dict[str, Any]:
    """Return what differs from call to call in the result of ``tools/call``, as JSON values."""
    members: dict[str, Any] = {
        "content": [block.model_dump(mode="json") for block in outcome.content],
        "isError": outcome.is_error,
    }
    if outcome.structured is not None:
        value: Any = json.loads(outcome.structured)
        is_object = isinstance(value, dict)
        wraps = revision.wraps_structured_content and (tool is None or tool.wraps_output or not is_object)
        members["structuredContent"] = {"result": value} if wraps else value
    if outcome.error is not None:
        members["_meta"] = {ERROR_KEY: dict(outcome.error)}
    return members


def resource_contents(contents: ResourceContents, uri: str) -> TextResourceContents | BlobResourceContents:
    """Return what a resource holds, under the URI that it was read by."""
    return _CONTENTS.validate_python({**contents.model_dump(mode="json"), "uri": uri})
