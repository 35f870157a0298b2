"""What a tool may do besides answering, as its endpoint's dependencies say."""

from __future__ import annotations

from toolway.calls.ask import ask_dependency
from toolway.calls.log import log_dependency
from toolway.catalog import Tool

__all__ = ["may_ask", "may_log"]


def may_ask(tool: Tool) -> bool:
    """Tell whether a call may ask the user, or needs a yes before it runs."""
    return tool.confirmation is not None or ask_dependency in tool.operation.dependencies


def may_log(tool: Tool) -> bool:
    """Tell whether a call may send messages to the caller's log."""
    return log_dependency in tool.operation.dependencies
