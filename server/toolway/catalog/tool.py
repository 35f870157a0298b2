"""Tools as agents see them, and those that are endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolway.catalog.arguments import Argument, BodyPlan
from toolway.catalog.modes import CatalogMode
from toolway.catalog.view import View
from toolway.markers import TaskSupport
from toolway.openapi import Operation, Schema

__all__ = ["EndpointTool", "Tool", "ToolAnnotations", "tool_uri"]

_URI = "toolway://tools/"


def tool_uri(name: str) -> str:
    """Return the URI of the resource with the whole definition of a tool."""
    return _URI + name


@dataclass(frozen=True, slots=True)
class ToolAnnotations:
    """The effects of a tool (MCP tool annotations). They are hints and must not decide about security."""

    read_only: bool
    destructive: bool | None
    """None makes no claim."""
    idempotent: bool | None
    open_world: bool

    def to_wire(self, title: str) -> dict[str, Any]:
        hints = {
            "title": title,
            "readOnlyHint": self.read_only,
            "destructiveHint": self.destructive,
            "idempotentHint": self.idempotent,
            "openWorldHint": self.open_world,
        }
        return {key: value for key, value in hints.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool as an agent sees it."""

    name: str
    title: str
    description: str
    input_schema: Schema
    output_schema: Schema | None = None
    """The schema of structured content; None if the result may not match it."""
    wrapped_output_schema: Schema | None = None
    """The same schema for MCP 2024-11-05 to 2025-11-25, whose structured content is always an object."""
    wraps_output: bool = False
    """Whether those revisions get every result as ``{"result": ...}``, because it may not be an object."""
    annotations: ToolAnnotations
    meta: Mapping[str, Any] | None = None
    """``_meta`` of its entry in a list."""
    modes: frozenset[CatalogMode] = frozenset({"list"})
    """The modes in which lists contain it; in the others, it can be called by its name."""
    origin: str = ""
    """The key of its runner: for an endpoint, the prefix of its application; empty for a single application."""

    asks_user: bool = False
    """Whether a call may ask the user, for a tool that is not an endpoint."""
    listed: tuple[dict[str, Any], dict[str, Any]] | None = None
    """Its entries in lists of MCP 2026-07-28 and of earlier revisions, if they differ from the whole definition."""
    null_is_missing: bool = False
    """Whether null for an optional argument is treated as if it was left out."""

    def definition(self, *, wrapped: bool) -> dict[str, Any]:
        """Return the tool's entry in a list; `wrapped` for MCP 2024-11-05 to 2025-11-25."""
        return self.whole_definition(wrapped=wrapped) if self.listed is None else self.listed[wrapped]

    @property
    def promises_output(self) -> bool:
        """Whether clients see an output schema, so that they reject results that do not match it."""
        return self.wrapped_output_schema is not None and (self.listed is None or "outputSchema" in self.listed[True])

    @property
    def is_abridged(self) -> bool:
        """Whether lists leave out a part of its schemas or of its description."""
        if self.listed is None:
            return False
        return tool_uri(self.name) in self.listed[True]["description"] or not (
            self.promises_output or self.wrapped_output_schema is None
        )

    def whole_definition(self, *, wrapped: bool) -> dict[str, Any]:
        """Return everything about the tool, as an entry in a list; `wrapped` as in `definition`."""
        entry: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input_schema,
        }
        output = self.wrapped_output_schema if wrapped else self.output_schema
        if output is not None:
            entry["outputSchema"] = output
        meta = {} if self.meta is None else {"_meta": dict(self.meta)}
        return {**entry, "annotations": self.annotations.to_wire(self.title), **meta}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointTool(Tool):
    """A tool that is an operation of an API, and the parts of the request that its arguments fill."""

    operation: Operation
    arguments: Mapping[str, Argument]
    body: BodyPlan | None
    task: TaskSupport | None = None
    """Whether it may run as a task; None runs it within its request."""
    follow: bool = False
    """Whether a 202 response is polled for its result."""
    ask_first: bool = False
    """Whether it asks its questions within the request and becomes a task afterwards."""
    selects_fields: bool = False
    """Whether it has the argument ``fields``, which selects members of the result."""
    concise: tuple[str, ...] = ()
    """The members of the result that an agent gets without ``fields``; empty for all."""
    view: View | None = None
    """The document that shows its results to the user."""
    confirmation: str | None = None
    """The question that the user must confirm before the call, with argument names in braces."""
    search_words: Sequence[str] = ()
    """More words by which a search finds it."""
    always_confirms: bool = False
    """Whether the user has to confirm every call, also if the settings disable confirmation."""
