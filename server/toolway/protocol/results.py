"""Outcomes of calls as results and errors of MCP."""

from __future__ import annotations

import json
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, BlobResourceContents, CallToolResult, TextResourceContents
from pydantic import TypeAdapter

from toolway.calls import Outcome
from toolway.catalog import Tool
from toolway.content import ResourceContents, TextContent
from toolway.protocol.versions import Revision

__all__ = [
    "ERROR_KEY",
    "outcome_error",
    "resource_contents",
    "resource_not_found",
    "result_members",
    "tool_result",
]

ERROR_KEY = "toolway/error"
"""The key of a machine-readable error in ``_meta`` of a result."""

_CONTENTS = TypeAdapter[TextResourceContents | BlobResourceContents](TextResourceContents | BlobResourceContents)


def tool_result(tool: Tool | None, outcome: Outcome, revision: Revision) -> CallToolResult:
    """Write an outcome as the result of ``tools/call`` (server/tools of the specification).

    The tool may be None, as for a task that outlived it, if the revision does not wrap structured content.
    """
    return CallToolResult.model_validate(result_members(tool, outcome, revision))


def result_members(tool: Tool | None, outcome: Outcome, revision: Revision) -> dict[str, Any]:
    """Return the members of a ``tools/call`` result that depend on the call, as JSON values."""
    members: dict[str, Any] = {
        "content": [block.model_dump(mode="json") for block in outcome.content],
        "isError": outcome.is_error,
    }
    if outcome.structured is not None:
        value: Any = json.loads(outcome.structured)
        is_object = isinstance(value, dict)
        wraps = revision.wraps_structured_content and (tool is None or tool.wraps_output or not is_object)
        note = {"_truncated": outcome.truncation} if outcome.truncation else {}
        members["structuredContent"] = {"result": value, **note} if wraps else value
    if outcome.error is not None:
        members["_meta"] = {ERROR_KEY: dict(outcome.error)}
    return members


def resource_contents(contents: ResourceContents, uri: str) -> TextResourceContents | BlobResourceContents:
    """Return the contents of a resource, with the URI of the request."""
    return _CONTENTS.validate_python({**contents.model_dump(mode="json"), "uri": uri})


def outcome_error(outcome: Outcome, **data: Any) -> MCPError:
    """Return the JSON-RPC error for a call that failed, for methods whose results cannot be errors.

    Its data has the fields of a tool's error (`status`, `detail`, `problems`, `reference`), and those that are passed.
    A 4xx keeps the endpoint's detail as -32602; anything else is an internal error with a reference.
    """
    error = dict(outcome.error or {"status": outcome.status})
    is_client_error = "reference" not in error and 400 <= (outcome.status or 422) < 500
    texts = (entry.text for entry in outcome.content if isinstance(entry, TextContent))
    text = next(texts, "The response has no text and cannot be returned here")
    return MCPError(INVALID_PARAMS if is_client_error else INTERNAL_ERROR, text, {**data, **error})


def resource_not_found(uri: str, revision: Revision, detail: object = None) -> MCPError:
    """Return the error for an unknown resource (server/resources of the specification)."""
    data = {"uri": uri} if detail is None else {"uri": uri, "detail": detail}
    shown = uri if len(uri) <= 200 else f"{uri[:200]}..."
    reason = f": {detail}" if isinstance(detail, str) else ""
    return MCPError(revision.resource_not_found, f"Resource not found: {shown}{reason}", data)
