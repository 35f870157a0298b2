"""Prompts: operations that return messages, which users pick in their client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolway.catalog.marker_fields import read_marker_texts
from toolway.catalog.schema.sanitize import strip_invisible
from toolway.catalog.suggestions import Completion
from toolway.catalog.tool import EndpointTool
from toolway.markers import Marker

__all__ = ["Prompt", "build_prompt"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """An operation that returns messages, and the arguments that it needs."""

    name: str
    title: str
    description: str
    tool: EndpointTool
    """The operation; its arguments are the prompt's arguments."""
    completions: Mapping[str, Completion]

    def definition(self) -> dict[str, Any]:
        """Return the prompt's entry in a list."""
        arguments = [
            {"name": entry.name, "description": entry.schema.get("description", ""), "required": entry.required}
            for entry in self.tool.arguments.values()
        ]
        return {"name": self.name, "title": self.title, "description": self.description, "arguments": arguments}


def build_prompt(tool: EndpointTool, marker: Marker, completions: Mapping[str, Completion]) -> Prompt:
    """Return the prompt that an endpoint's marker describes.

    Raises:
        ConfigurationError: a field is unknown or not a string.
    """
    fields = read_marker_texts(tool.operation, marker, "prompt", ("name", "title", "description"))
    return Prompt(
        name=fields.get("name", tool.name),
        title=strip_invisible(fields.get("title", tool.title)),
        description=strip_invisible(fields.get("description", tool.description)),
        tool=tool,
        completions=completions,
    )
