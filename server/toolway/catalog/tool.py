"""A tool: one operation, as an agent sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolway.catalog.arguments import Argument, BodyPlan
from toolway.markers import TaskSupport
from toolway.openapi import Operation, Schema

__all__ = ["Annotations", "Tool"]


@dataclass(frozen=True, slots=True)
class Annotations:
    """What calling the tool does to the world (MCP tool annotations); hints, never a security signal."""

    read_only: bool
    destructive: bool | None
    """None claims nothing."""
    idempotent: bool | None
    open_world: bool

    def wire(self, title: str) -> dict[str, Any]:
        hints = {
            "title": title,
            "readOnlyHint": self.read_only,
            "destructiveHint": self.destructive,
            "idempotentHint": self.idempotent,
            "openWorldHint": self.open_world,
        }
        return {key: value for key, value in hints.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Tool:
    """One operation, as an agent sees it, with the map from its arguments to places of the request."""

    name: str
    title: str
    description: str
    input_schema: Schema
    output_schema: Schema | None
    """What structured content looks like; None where the answer's shape is not promised."""
    wrapped_output_schema: Schema | None
    """The same for revisions before 2026-07-28, whose structured content is always an object."""
    wraps_output: bool
    """Whether those revisions get every answer as ``{"result": ...}``, as not every one is sure to be an object."""
    annotations: Annotations
    operation: Operation
    arguments: Mapping[str, Argument]
    body: BodyPlan | None
    task: TaskSupport | None = None
    """Whether it may run as a task; None runs it within its request."""
    follow: bool = False
    """Whether work that it has accepted (202) is followed to its result."""
    ask_first: bool = False
    """Whether it asks before its work begins, and becomes a task only then."""
    origin: str = ""
    """Which of several applications it comes from: the prefix of its name; empty for the only one."""
    confirmation: str | None = None
    """What the user has to say yes to before the tool runs: a text with arguments in braces."""

    def definition(self, *, wrapped: bool) -> dict[str, Any]:
        """The tool's entry in a list; `wrapped` for revisions before 2026-07-28."""
        entry: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input_schema,
        }
        output = self.wrapped_output_schema if wrapped else self.output_schema
        if output is not None:
            entry["outputSchema"] = output
        return {**entry, "annotations": self.annotations.wire(self.title)}
