"""Ordinary FastAPI endpoints, served to LLM agents as MCP tools."""

from typing import Never

from toolway.requirements import require_versions

require_versions()  # before the modules that need these versions

from toolway.app import Toolway  # noqa: E402
from toolway.calls import Ask, Changes, Progress, ToolResult  # noqa: E402
from toolway.catalog import Filter  # noqa: E402
from toolway.content import Message  # noqa: E402
from toolway.elicitation import Question  # noqa: E402
from toolway.errors import ToolwayError  # noqa: E402
from toolway.markers import Hints, agent_prompt, agent_resource, agent_tool  # noqa: E402
from toolway.settings import Settings  # noqa: E402
from toolway.sources import Remote  # noqa: E402

__all__ = [
    "Ask",
    "Changes",
    "Filter",
    "Hints",
    "Message",
    "Progress",
    "Question",
    "Remote",
    "Settings",
    "ToolResult",
    "Toolway",
    "ToolwayError",
    "agent_prompt",
    "agent_resource",
    "agent_tool",
]

_MOVED = {
    "toolway.content": (
        "Annotations",
        "AudioContent",
        "EmbeddedResource",
        "ImageContent",
        "ResourceContents",
        "ResourceLink",
        "TextContent",
    ),
    "toolway.deprecated": ("Log", "Root", "Roots", "Sampling"),
    "toolway.errors": (
        "AppNotFoundError",
        "ArgumentError",
        "CannotAskError",
        "ConfigurationError",
        "DeclinedError",
        "DocumentError",
        "FilterError",
        "NotStartedError",
        "UnknownToolError",
        "VersionError",
    ),
}


def __getattr__(name: str) -> Never:
    """Raise an error that names the new module of a name that was exported here before 1.0.

    An ImportError, because ``from toolway import ...`` replaces the text of an AttributeError.
    """
    for module, names in _MOVED.items():
        if name in names:
            raise ImportError(f"toolway.{name} has moved: use `from {module} import {name}`", name="toolway")
    raise AttributeError(f"module 'toolway' has no attribute {name!r}")
