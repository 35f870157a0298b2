"""Ordinary FastAPI endpoints, served to LLM agents as MCP tools."""

from toolway._toolway import Toolway
from toolway.catalog import Filter
from toolway.errors import (
    AppNotFoundError,
    ArgumentError,
    ConfigurationError,
    DocumentError,
    FilterError,
    NotStartedError,
    ToolwayError,
    UnknownToolError,
)
from toolway.markers import Hints, agent_tool
from toolway.settings import Settings

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
    "agent_tool",
]
