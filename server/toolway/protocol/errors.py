"""Failures of endpoints, where the protocol has errors in place of results."""

from __future__ import annotations

from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS

from toolway.calls import Outcome
from toolway.content import TextContent
from toolway.protocol.versions import Revision

__all__ = ["failed", "unknown_resource"]


def failed(outcome: Outcome, **data: Any) -> MCPError:
    """Make the error for a call that gave no result: a refusal keeps what the endpoint said, a fault its reference.

    The error's data is that of a tool's failure (`status`, `detail`, `problems`, `reference`), beside what is given.
    """
    error = dict(outcome.error or {"status": outcome.status})
    is_refused = "reference" not in error and 400 <= (outcome.status or 422) < 500
    texts = (entry.text for entry in outcome.content if isinstance(entry, TextContent))
    text = next(texts, "The response cannot be returned")
    return MCPError(INVALID_PARAMS if is_refused else INTERNAL_ERROR, text, {**data, **error})


def unknown_resource(uri: str, revision: Revision, detail: object = None) -> MCPError:
    """Make the error for a URI under which there is nothing (server/resources of the specification)."""
    data = {"uri": uri} if detail is None else {"uri": uri, "detail": detail}
    shown = uri if len(uri) <= 200 else f"{uri[:200]}..."
    words = f": {detail}" if isinstance(detail, str) else ""
    return MCPError(revision.resource_not_found, f"Resource not found: {shown}{words}", data)
