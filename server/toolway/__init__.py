"""Ordinary FastAPI endpoints, served to LLM agents as MCP tools."""

from toolway._versions import insist_on_versions

insist_on_versions()  # before anything of an old library is touched

from toolway._toolway import Toolway  # noqa: E402
from toolway.catalog import Filter  # noqa: E402
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
from toolway.markers import Hints, agent_tool  # noqa: E402
from toolway.settings import Settings  # noqa: E402

__all__ = [
    "AppNotFoundError",
    "ArgumentError",
    "ConfigurationError",
    "DocumentError",
    "Filter",
    "FilterError",
    "Hints",
    "NotStartedError",
    "Settings",
    "Toolway",
    "ToolwayError",
    "UnknownToolError",
    "VersionError",
    "agent_tool",
]
