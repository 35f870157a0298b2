"""Calls of the server's own tools, each a function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from toolway.calls.context import CallContext
from toolway.calls.response.error_results import report_internal_error, report_invalid_argument
from toolway.calls.response.outcome import Outcome
from toolway.calls.tool_call import ToolCall
from toolway.catalog import Tool
from toolway.errors import ArgumentError

__all__ = ["BuiltInFunction", "BuiltInRunner"]

BuiltInFunction: TypeAlias = Callable[[Mapping[str, Any], CallContext], Awaitable[Outcome]]
"""Returns the outcome for the arguments and the context of a call; raises `ArgumentError` for invalid arguments."""


class BuiltInRunner:
    """Runs tools that are functions of the server.

    Args:
        functions: the functions by the names of their tools.
    """

    forwarded: frozenset[bytes] = frozenset()

    def __init__(self, functions: Mapping[str, BuiltInFunction]) -> None:
        self._functions = functions

    def offer(self, tools: Mapping[str, Tool]) -> None:
        """Do nothing: the functions stay the same."""

    def start(self, call: ToolCall) -> _BuiltInRun:
        """Return a run for one call; it has not begun."""
        return _BuiltInRun(call, self._functions[call.tool.name])


class _BuiltInRun:
    """One call of a function."""

    def __init__(self, call: ToolCall, function: BuiltInFunction) -> None:
        self._call = call
        self._function = function

    def check_arguments(self) -> None:
        """Do nothing: the function checks its arguments."""

    async def execute(self) -> None:
        try:
            outcome = await self._function(self._call.arguments, self._call.context)
        except ArgumentError as error:
            outcome = report_invalid_argument(error)
        except Exception as error:  # noqa: BLE001 - no exception may reach the caller
            outcome = report_internal_error(self._call.tool.name, error)
        await self._call.finish(outcome)

    def stop_following(self) -> bool:
        return False

    async def closed(self) -> None:
        """Do nothing: nothing continues after the call."""
