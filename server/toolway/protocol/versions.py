"""The protocol revisions that are served, and the facts in which they differ.

A new revision is one entry in `REVISIONS`, and the handlers of its new methods. The SDK decides which methods a
revision has. https://modelcontextprotocol.io/specification/versioning
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mcp_types import INVALID_PARAMS

__all__ = ["REVISIONS", "REVISIONS_BY_HEADER", "Revision", "revision_for"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Revision:
    """A protocol revision."""

    id: str
    """The value of ``protocolVersion`` and of the header ``MCP-Protocol-Version``."""
    is_stateless: bool
    """Whether each request carries its version and the client's capabilities in ``_meta``, and names its method and
    target in headers. Other revisions agree on them once, with ``initialize``."""
    has_result_envelope: bool
    """Whether results carry ``resultType``, and the server's identity in ``_meta``."""
    has_cache_hints: bool
    """Whether results that can be cached carry ``ttlMs`` and ``cacheScope``."""
    has_input_required_results: bool
    """Whether a call that needs an answer ends with ``input_required`` and is repeated. In other revisions the server
    sends a request to the client during the call, which needs a session."""
    has_log_level_per_request: bool
    """Whether each request names its log level in ``_meta``. In other revisions ``logging/setLevel`` sets it."""
    has_tasks_extension: bool
    """Whether the tasks extension is available."""
    wraps_structured_content: bool
    """Whether structured content must be an object, so that other values are sent as ``{"result": value}``."""
    resource_not_found: int
    """The error code for an unknown resource."""


_FIRST = Revision(
    id="2024-11-05",
    is_stateless=False,
    has_result_envelope=False,
    has_cache_hints=False,
    has_input_required_results=False,
    has_log_level_per_request=False,
    has_tasks_extension=False,
    wraps_structured_content=True,
    resource_not_found=-32002,
)
_ALL = (
    _FIRST,
    replace(_FIRST, id="2025-03-26"),
    replace(_FIRST, id="2025-06-18"),
    replace(_FIRST, id="2025-11-25"),
    Revision(
        id="2026-07-28",
        is_stateless=True,
        has_result_envelope=True,
        has_cache_hints=True,
        has_input_required_results=True,
        has_log_level_per_request=True,
        has_tasks_extension=True,
        wraps_structured_content=False,
        resource_not_found=INVALID_PARAMS,
    ),
)

REVISIONS: Mapping[str, Revision] = {entry.id: entry for entry in _ALL}
"""All revisions by id, the oldest first."""

REVISIONS_BY_HEADER: Mapping[str | None, Revision] = {None: REVISIONS["2025-03-26"], **REVISIONS}
"""All revisions by the value of the header ``MCP-Protocol-Version``, which 2025-03-26 and earlier do not have."""


def revision_for(version: str) -> Revision:
    """Return the facts of a negotiated version; one that only the SDK knows is treated as the newest."""
    return REVISIONS.get(version, _ALL[-1])
