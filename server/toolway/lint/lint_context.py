"""The catalog as the rules see it, with shared helpers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from toolway.catalog import Catalog, EndpointTool
from toolway.catalog.marker_fields import read_operation_marker
from toolway.catalog.schema.definitions import dereference
from toolway.errors import DocumentError
from toolway.lint.finding import Finding
from toolway.openapi import MALFORMED_ERRORS, Schema

__all__ = ["BYTES_PER_TOKEN", "Check", "LintContext", "json_size", "resolve", "split_words"]

BYTES_PER_TOKEN = 4
"""A rule of thumb for JSON with English text; tokenizers differ."""


@dataclass(frozen=True)
class LintContext:
    """A catalog, and the server name that clients prefix its tool names with."""

    catalog: Catalog
    server: str

    @cached_property
    def tools(self) -> tuple[EndpointTool, ...]:
        return tuple(self.catalog.tools.values())

    @cached_property
    def notes(self) -> Mapping[str, Mapping[str, Any]]:
        """The marker fields of each tool's endpoint."""
        return {tool.name: read_operation_marker(tool.operation) or {} for tool in self.tools}

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """The first tool for an endpoint, by each tool that calls that endpoint with the same arguments."""
        first: dict[tuple[Any, tuple[str, ...]], str] = {}
        return {
            tool.name: first.setdefault((tool.operation.endpoint, tuple(tool.arguments)), tool.name)
            for tool in self.tools
            if tool.operation.endpoint is not None
        }

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of each tool definition as JSON, as agents see it."""
        return {tool.name: json_size(tool.definition(wrapped=False)) for tool in self.tools}


Check: TypeAlias = Callable[[LintContext], Iterator[Finding]]


def json_size(value: Any) -> int:
    """Return the bytes of a value as JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-8", "surrogatepass"))


def resolve(schema: Schema, tool: EndpointTool) -> Schema:
    """Return a schema with its reference resolved, or an empty one if that is malformed."""
    try:
        return dereference(schema, tool.operation.components)
    except (DocumentError, *MALFORMED_ERRORS):
        return {}


def split_words(text: str) -> list[str]:
    """Split a name or path into lowercase words, from ``deleteOrder``, ``delete-order`` or ``delete_order``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return re.findall(r"[a-z0-9]+", parted.lower())
