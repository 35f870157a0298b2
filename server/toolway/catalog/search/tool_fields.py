"""The texts of a tool that a search looks at."""

from __future__ import annotations

from collections.abc import Mapping

from toolway.catalog.tool import EndpointTool

__all__ = ["index_fields"]


def index_fields(tool: EndpointTool) -> Mapping[str, str]:
    """Return the texts of a tool by the fields of the index."""
    operation = tool.operation
    described = (str(argument.schema.get("description") or "") for argument in tool.arguments.values())
    texts = {
        "name": tool.name,
        "title": tool.title,
        "search_words": " ".join(tool.search_words),
        "summary": operation.summary,
        "tags": " ".join(operation.tags),
        "description": tool.description,
        "path": " ".join(part for part in operation.path.split("/") if not part.startswith("{")),
        "arguments": " ".join(tool.arguments),
        "argument_descriptions": " ".join(described),
    }
    return {name: text for name, text in texts.items() if text}
