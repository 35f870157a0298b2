"""Cache hints: for how long clients may cache a result, and whether they may share it.

https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mcp.server.caching import CacheableMethod, CacheHint

from toolway.calls import Document
from toolway.catalog import Catalog
from toolway.openapi import Credentials, Operation
from toolway.settings import Settings

__all__ = ["list_hint", "list_hints", "read_hint"]

_METHODS: tuple[CacheableMethod, ...] = (
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
)
_MAX_SECONDS = 365 * 24 * 60 * 60
_DIRECTIVE = re.compile(r"(?:^|,)\s*([a-z-]+)(?:\s*=\s*\"?(\d+)\"?)?\s*(?=,|$)", re.IGNORECASE)


def list_hint(catalog: Catalog, settings: Settings, *, is_guarded: bool) -> CacheHint:
    """Return the hint for all lists, which may be shared only if no caller needs to authenticate.

    Args:
        catalog: the listed tools, resources and prompts.
        settings: contains the duration.
        is_guarded: whether something in front of the endpoint may authenticate callers.
    """
    is_private = is_guarded or any(map(_has_identity, _operations(catalog)))
    return CacheHint(_milliseconds(settings.list_ttl_seconds), "private" if is_private else "public")


def _has_identity(operation: Operation) -> bool:
    is_of_caller = any(parameter.source == "caller" for parameter in operation.parameters)
    return is_of_caller or operation.credentials != Credentials()


def list_hints(hint: CacheHint) -> dict[str, CacheHint]:
    """Return the hint by method, as the SDK expects it."""
    return dict.fromkeys(_METHODS, hint)


def _operations(catalog: Catalog) -> Iterable[Operation]:
    yield from (tool.operation for tool in catalog.tools.values())
    yield from (resource.tool.operation for resource in catalog.resources)
    yield from (prompt.tool.operation for prompt in catalog.prompts.values())


def read_hint(document: Document, settings: Settings) -> CacheHint:
    """Return the hint for a resource: the Cache-Control header of its response (RFC 9111, section 5.2.2).

    Without the header, the duration comes from the settings, and the result is private to the caller.
    """
    directives = {name.lower(): value for name, value in _DIRECTIVE.findall(document.cache_control)}
    scope = "public" if "public" in directives and "private" not in directives else "private"
    if "no-store" in directives or "no-cache" in directives:
        return CacheHint(0, "private")
    age = directives.get("max-age")
    seconds = min(int(age), _MAX_SECONDS) if age else settings.resource_ttl_seconds
    return CacheHint(_milliseconds(seconds), scope)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
