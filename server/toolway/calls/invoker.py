"""Calls of tools by name: one at a time from arguments to outcome, and all of them at shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from typing import Any, Protocol, cast

import anyio

from toolway.calls.cancellation import ends_task
from toolway.calls.context import CallContext
from toolway.calls.response.error_results import report_internal_error
from toolway.calls.response.outcome import Outcome
from toolway.calls.response.response_parser import parse_response
from toolway.calls.tool_call import Interceptor, Read, Runner, ToolCall
from toolway.catalog import Catalog, CatalogMode, EndpointTool, Tool, choose_mode
from toolway.errors import ServerShutdownError, UnknownToolError

__all__ = ["CALL_TOOL", "Invoker", "Policy", "ResolvedCall", "unwrap_call"]

logger = logging.getLogger("toolway.calls")

CALL_TOOL = "call_tool"
"""The tool that calls another one by its name, unless the application has a tool of this name."""

_INDIRECT_ARGUMENTS = frozenset({"name", "arguments", "fields"})
_LONGEST_NAME = 100
_CLEANUP_SECONDS = 1.0
"""How long interrupted calls may take to clean up."""


@dataclass(frozen=True, slots=True)
class ResolvedCall:
    """The tool that a call runs."""

    tool: Tool
    arguments: Mapping[str, Any]
    fields: Any = None
    """The selection of a part of the result, besides the arguments; None for all of it."""


class Policy(Protocol):
    """The rules around the calls of one server."""

    hides_tools: bool
    """Whether some tools may be hidden from some callers."""

    def shows(self, tool: Tool, context: CallContext) -> bool:
        """Return whether the caller may see and call a tool."""
        ...

    def interceptor(self, tool: Tool) -> Interceptor | None:
        """Return the code that runs around every call of a tool; None if there is none."""
        ...

    def asks_first(self, tool: Tool, context: CallContext) -> bool:
        """Return whether the user has to confirm a call before the tool runs."""
        ...


class _NoPolicy:
    """The rules of a server without any."""

    hides_tools = False

    def shows(self, tool: Tool, context: CallContext) -> bool:
        return True

    def interceptor(self, tool: Tool) -> Interceptor | None:
        return None

    def asks_first(self, tool: Tool, context: CallContext) -> bool:
        return False


class Invoker:
    """Calls the tools of a catalog; it does not depend on the transport or the protocol.

    Args:
        catalog: the tools.
        runners: what a tool runs, by the tool's origin.
        policy: the rules around every call.
        mode: how the catalog is offered, unless the URL of a request asks for another way.
        shutdown_seconds: how long calls may take to finish once the server is shutting down.
        progress_seconds: how often a caller that wants progress hears that its call is still running; 0 for never.
    """

    def __init__(
        self,
        catalog: Catalog,
        runners: Mapping[str, Runner],
        *,
        policy: Policy | None = None,
        mode: CatalogMode = "list",
        shutdown_seconds: float = 10,
        progress_seconds: float = 0,
    ) -> None:
        self.runners = runners
        self.policy: Policy = policy or _NoPolicy()
        self._mode: CatalogMode = mode
        self.shutdown_seconds = shutdown_seconds
        self.progress_seconds = progress_seconds
        self._deadline: float | None = None
        """By when calls have to finish, in the event loop's time; None while the server is not shutting down."""
        self._interrupting: asyncio.Task[None] | None = None
        self._running: set[ToolCall] = set()
        self.waits: dict[str, bool] = {}
        """Whether a call of a tool has ever waited for anything, by the name of the tool."""
        self._idle: anyio.Event | None = None
        self.offer(catalog)

    def offer(self, catalog: Catalog) -> None:
        """Call the tools of this catalog from now on; running calls are not affected."""
        self.tools = catalog.tools
        self.built_in = catalog.built_in
        self._indirect = next((name for name in self.built_in if name.removeprefix("toolway_") == CALL_TOOL), None)
        for origin, runner in self.runners.items():
            offered = chain(self.tools.items(), self.built_in.items())
            runner.offer({name: tool for name, tool in offered if tool.origin == origin})
        self._interceptors: dict[int, tuple[Tool, Interceptor | None]] = {}

    def interceptor(self, tool: Tool) -> Interceptor | None:
        """Return the code that runs around every call of a tool; None if there is none."""
        known = self._interceptors.get(id(tool))
        if known is None:
            known = self._interceptors[id(tool)] = tool, self.policy.interceptor(tool)
        return known[1]

    def shown(self, context: CallContext) -> Mapping[str, EndpointTool]:
        """Return the tools that the caller may see, by name."""
        if not self.policy.hides_tools:
            return self.tools
        return {name: tool for name, tool in self.tools.items() if self.policy.shows(tool, context)}

    def tool(self, name: str, context: CallContext) -> Tool:
        """Return a tool of the server itself, or one that the caller may see.

        Raises:
            UnknownToolError: the caller sees no such tool; the text names the nearest.
        """
        built_in = self.built_in.get(name)
        if built_in is not None and self.offers(built_in, context.query):
            return built_in
        tool = self.tools.get(name)
        if tool is None or (self.policy.hides_tools and not self.policy.shows(tool, context)):
            name = name[:_LONGEST_NAME]  # the search for the nearest name takes long for a long one
            own = [tool.name for tool in self.built_in.values() if self.offers(tool, context.query)]
            near = get_close_matches(name, [*self.shown(context), *own], n=1)
            raise UnknownToolError(f"Unknown tool: {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return tool

    def resolve(self, name: str, arguments: Mapping[str, Any], context: CallContext) -> ResolvedCall:
        """Return the tool that a call runs, and its arguments: for ``call_tool``, those of the tool that it names.

        Raises:
            UnknownToolError: the caller sees no such tool.
        """
        tool = self.tool(name, context)
        if not self.is_indirect(tool.name):
            return ResolvedCall(tool, arguments)
        return unwrap_call(arguments, self.shown(context)) or ResolvedCall(tool, arguments)

    def mode(self, query: Iterable[tuple[str, str]]) -> str:
        """Return how the catalog is offered to a request with this query; a mode that it names may be unknown."""
        return choose_mode(query, self._mode)

    def offers(self, tool: Tool, query: Iterable[tuple[str, str]]) -> bool:
        """Return whether a request with this query may call one of the server's own tools.

        It may call those that are in its list, and those that are in no list.
        """
        return not tool.modes or self.mode(query) in tool.modes

    def is_indirect(self, name: str) -> bool:
        """Return whether a tool of this name calls another one that its arguments name."""
        return name == self._indirect

    async def call(self, name: str, arguments: Mapping[str, Any], context: CallContext) -> Outcome:
        """Call one tool, and return its outcome as soon as it is known; its background tasks continue.

        A failure inside is an outcome; only an unknown tool raises. When the caller leaves (this is canceled), the
        work is stopped.

        Raises:
            UnknownToolError: the caller sees no such tool.
            ServerShutdownError: the server stopped before the call had finished.
        """
        return await self.perform(self.tool(name, context), arguments, context)

    async def perform(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        context: CallContext,
        read: Read = parse_response,
        *,
        fields: object = None,
    ) -> Outcome:
        """Call any tool as `call` does, listed or not; `read` turns its response into an outcome."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        async def deliver(outcome: Outcome) -> None:
            if not answer.done():
                answer.set_result(outcome)

        async def fail(error: ServerShutdownError) -> None:
            if not answer.done():
                answer.set_exception(error)

        call = ToolCall(self, tool, arguments, context, deliver, fail, read, fields=fields)
        task = asyncio.create_task(self.run(call))
        task.add_done_callback(lambda _: answer.cancel())  # it was stopped before there was an outcome
        try:
            return await answer
        except asyncio.CancelledError as error:
            if not ends_task(error):  # the endpoint has canceled the task that it runs in
                return report_internal_error(tool.name, error)
            call.stop()
            raise

    async def run(self, call: ToolCall) -> None:
        """Run a call to its very end, background tasks included."""
        self._running.add(call)
        try:
            await call.run()
        finally:
            self._running.discard(call)
            if self._idle is not None and not self._running:
                self._idle.set()

    def begin_shutdown(self, seconds: float) -> None:
        """Interrupt the calls that have not finished after so many seconds; tasks have a shutdown of their own."""
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._interrupting = asyncio.create_task(self._interrupt_late_calls(include_tasks=False))

    async def close(self) -> None:
        """Wait for running calls, and interrupt those that take longer than the shutdown may."""
        if self._interrupting is not None:
            await self._interrupting
        await self._interrupt_late_calls(include_tasks=True)
        await self._wait(_CLEANUP_SECONDS)

    async def _interrupt_late_calls(self, *, include_tasks: bool) -> None:
        now = asyncio.get_running_loop().time()
        await self._wait(self.shutdown_seconds if self._deadline is None else max(0, self._deadline - now))
        late = [call for call in self._running if not call.is_interrupted and (include_tasks or not call.is_task)]
        if late:
            logger.warning("%d calls are interrupted: they outlast TOOLWAY_SHUTDOWN_SECONDS", len(late))
        async with anyio.create_task_group() as group:
            for call in late:
                group.start_soon(call.interrupt)

    async def _wait(self, seconds: float) -> None:
        self._idle = anyio.Event()
        with anyio.move_on_after(seconds):
            if self._running:
                await self._idle.wait()


def unwrap_call(arguments: Mapping[str, Any], tools: Mapping[str, Tool]) -> ResolvedCall | None:
    """Return the call that the arguments of ``call_tool`` describe; None if they do not name one of these tools."""
    name, inner = arguments.get("name"), arguments.get("arguments", {})
    tool = tools.get(name) if isinstance(name, str) else None
    if not isinstance(tool, EndpointTool) or not isinstance(inner, dict):
        return None
    if not arguments.keys() <= _INDIRECT_ARGUMENTS:
        return None
    return ResolvedCall(tool, cast("dict[str, Any]", inner), arguments.get("fields"))
