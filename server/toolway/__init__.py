"""Ordinary FastAPI endpoints, served to LLM agents as MCP tools."""

from toolway._versions import insist_on_versions

insist_on_versions()  # before anything of an old library is touched

from toolway._changes import Changes  # noqa: E402
from toolway.app import Toolway  # noqa: E402
from toolway.calls import Ask, Log, Progress, ToolResult  # noqa: E402
from toolway.catalog import Filter  # noqa: E402
from toolway.content import (  # noqa: E402
    Annotations,
    AudioContent,
    EmbeddedResource,
    ImageContent,
    Message,
    ResourceContents,
    ResourceLink,
    TextContent,
)
from toolway.elicitation import CannotAskError, DeclinedError, Question, Root, Roots, Sampling  # noqa: E402
from toolway.errors import (  # noqa: E402
    AppNotFoundError,
    ArgumentError,
    ConfigurationError,
    DocumentError,
    FilterError,
    NotStartedError,
    ToolwayError,
    UnknownToolError,
    VersionError,
)
from toolway.markers import Hints, agent_prompt, agent_resource, agent_tool  # noqa: E402
from toolway.settings import Settings  # noqa: E402
from toolway.sources import Remote  # noqa: E402

__all__ = [
    "Annotations",
    "AppNotFoundError",
    "ArgumentError",
    "Ask",
    "AudioContent",
    "CannotAskError",
    "Changes",
    "ConfigurationError",
    "DeclinedError",
    "DocumentError",
    "EmbeddedResource",
    "Filter",
    "FilterError",
    "Hints",
    "ImageContent",
    "Log",
    "Message",
    "NotStartedError",
    "Progress",
    "Question",
    "Remote",
    "ResourceContents",
    "ResourceLink",
    "Root",
    "Roots",
    "Sampling",
    "Settings",
    "TextContent",
    "ToolResult",
    "Toolway",
    "ToolwayError",
    "UnknownToolError",
    "VersionError",
    "agent_prompt",
    "agent_resource",
    "agent_tool",
]
