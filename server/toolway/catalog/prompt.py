"""A prompt: one operation that writes messages, as people pick it in their client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolway.catalog.marker_fields import marker_fields
from toolway.catalog.schema.sanitize import visible
from toolway.catalog.suggestions import Completion
from toolway.catalog.tool import Tool

__all__ = ["Prompt", "prompt_of"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """Messages that an operation writes, and what it needs to know for them."""

    name: str
    title: str
    description: str
    tool: Tool
    """The operation, with its arguments, which are the prompt's."""
    completions: Mapping[str, Completion]

    def definition(self) -> dict[str, Any]:
        """The prompt's entry in a list."""
        arguments = [
            {"name": entry.name, "description": entry.schema.get("description", ""), "required": entry.required}
            for entry in self.tool.arguments.values()
        ]
        return {"name": self.name, "title": self.title, "description": self.description, "arguments": arguments}


def prompt_of(tool: Tool, note: Mapping[str, Any], completions: Mapping[str, Completion]) -> Prompt:
    """Make the prompt that an endpoint's marker describes.

    Raises:
        ConfigurationError: a field is unknown, or no text.
    """
    fields = marker_fields(tool.operation, note, "prompt", ("name", "title", "description"))
    return Prompt(
        name=fields.get("name", tool.name),
        title=visible(fields.get("title", tool.title)),
        description=visible(fields.get("description", tool.description)),
        tool=tool,
        completions=completions,
    )
