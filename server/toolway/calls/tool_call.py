"""One call of a tool, from its start to the end of its background work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

from fastapi import HTTPException

from toolway.calls.cancellation import CancellableWork, ends_task
from toolway.calls.context import CallContext
from toolway.calls.progress import Heartbeat, SteadyReport
from toolway.calls.reply import Reply
from toolway.calls.response.error_results import (
    report_internal_error,
    report_invalid_argument,
    report_unanswered_question,
)
from toolway.calls.response.outcome import Deliver, Outcome
from toolway.calls.response.response_parser import parse_response
from toolway.catalog import EndpointTool, Tool
from toolway.errors import ArgumentError, ServerShutdownError

__all__ = ["CallHost", "Fail", "Interceptor", "Proceed", "Read", "Run", "Runner", "ToolCall", "outcome_of_exception"]

Fail: TypeAlias = Callable[[ServerShutdownError], Awaitable[None]]
"""Answers a call that will have no outcome; does nothing once the call is answered."""

Read: TypeAlias = Callable[[EndpointTool, Reply], Outcome]
"""Turns the response of an endpoint into an outcome."""

Proceed: TypeAlias = Callable[[], Awaitable[Outcome]]
"""Runs the rest of a call, and returns its outcome."""


class Run(Protocol):
    """One run of a tool."""

    def check_arguments(self) -> None:
        """Check the arguments as far as that is possible before the tool runs.

        Raises:
            ArgumentError: the tool cannot run with them.
        """
        ...

    async def execute(self) -> None:
        """Run the tool to its very end; `ToolCall.finish` gets the outcome as soon as it is known."""
        ...

    def stop_following(self) -> bool:
        """Stop waiting for work that continues elsewhere; return False if there is none."""
        ...

    async def closed(self) -> None:
        """Wait until nothing runs for this call."""
        ...


class _EndedRun:
    """The run of a call that has ended."""

    def check_arguments(self) -> None:
        """Do nothing."""

    async def execute(self) -> None:
        """Do nothing."""

    def stop_following(self) -> bool:
        return False

    async def closed(self) -> None:
        """Do nothing."""


_ENDED = _EndedRun()


class Runner(Protocol):
    """The code behind tools: an endpoint of an application is one kind."""

    @property
    def forwarded(self) -> frozenset[bytes]:
        """Headers of the MCP request that are forwarded besides credentials."""
        ...

    def offer(self, tools: Mapping[str, Tool]) -> None:
        """Run these tools, all of its origin, from now on; running calls are not affected."""
        ...

    def start(self, call: ToolCall) -> Run:
        """Return a run for one call; it has not begun."""
        ...


class Interceptor(Protocol):
    """Code around the call of one tool; it raises nothing unless its task is canceled."""

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Outcome: ...


def outcome_of_exception(tool: Tool, error: BaseException) -> Outcome:
    """Return the outcome of a call around which code has raised an exception.

    Raises:
        BaseException: the exception itself, if it cancels the running task.
    """
    if isinstance(error, ArgumentError):
        return report_invalid_argument(error)
    if isinstance(error, HTTPException):
        return report_unanswered_question(error)
    if ends_task(error):
        raise error
    return report_internal_error(tool.name, error)


class CallHost(Protocol):
    """The state that calls of one server share."""

    waits: dict[str, bool]
    """Whether a call of a tool has ever waited for anything, by the name of the tool."""
    progress_seconds: float

    @property
    def runners(self) -> Mapping[str, Runner]:
        """The runners of tools, by the origin of a tool."""
        ...

    def interceptor(self, tool: Tool) -> Interceptor | None: ...


class ToolCall:
    """One call of a tool, which can be run once.

    Args:
        host: the state that calls of one server share.
        tool: the tool; it need not be listed.
        arguments: the arguments as the client sent them.
        context: the caller and the transport.
        deliver: gets the outcome as soon as it is known.
        fail: gets the error of a call that the server did not finish.
        read: turns the response of an endpoint into an outcome.
        fields: selects a part of the result, besides the arguments.
        on_wait: gets a function that stops the call, when the call has to wait for the first time.
    """

    def __init__(  # noqa: PLR0913 - all of them differ from call to call
        self,
        host: CallHost,
        tool: Tool,
        arguments: Mapping[str, Any],
        context: CallContext,
        deliver: Deliver,
        fail: Fail,
        read: Read = parse_response,
        *,
        fields: object = None,
        on_wait: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.tool = tool
        self.arguments = arguments
        self.context = context
        self.read = read
        self.fields = fields
        self._host = host
        self._deliver = deliver
        self._fail = fail
        self._on_wait = on_wait
        self._heartbeat: Heartbeat | None = None
        self._is_answered = False
        self._interrupted: asyncio.Future[None] | None = None
        self._run: Run = host.runners[tool.origin].start(self)
        interceptor = host.interceptor(tool)
        self._intercepted = None if interceptor is None else _Intercepted(self._run, interceptor, self)
        self._work = CancellableWork((self._intercepted or self._run).execute(), self._begin_waiting)

    async def run(self) -> None:
        """Run the call to its very end, background tasks included."""
        waits, name = self._host.waits, self.tool.name
        try:
            if self._intercepted is not None or waits.get(name, True):
                await self._work.run()
            else:
                await self._work.run_at_once()
            waits.setdefault(name, False)
            await self._run.closed()
        finally:
            if self._heartbeat is not None:
                self._heartbeat.cancel()
            self._run = _ENDED  # it refers to this call, and reference cycles have to wait for the garbage collector
            self._intercepted = None
        if self._interrupted is not None:
            await self._interrupted

    def check_arguments(self) -> None:
        """Check the arguments as far as that is possible before the tool runs.

        Raises:
            ArgumentError: the tool cannot run with them.
        """
        self._run.check_arguments()

    async def finish(self, outcome: Outcome) -> None:
        """Take the outcome of the tool; return when the client has it."""
        if self._intercepted is None:
            await self.deliver(outcome)
        else:
            await self._intercepted.finish(outcome)

    async def deliver(self, outcome: Outcome) -> None:
        """Send an outcome to the client."""
        self._is_answered = True
        if self._heartbeat is not None:
            await self._heartbeat.finish()
        delivery = self._deliver(outcome)
        del outcome  # a slow client must not keep a large one alive
        await delivery

    def stop(self) -> None:
        """Stop the call because its client has left; work accepted by the endpoint continues, but is not followed."""
        if not self._run.stop_following():
            self.stop_work()
        elif self._intercepted is not None:
            self._work.stop()

    def stop_work(self) -> None:
        """Stop the tool itself."""
        if self._intercepted is not None:
            self._intercepted.stop()
        self._work.stop()

    def stop_response(self) -> None:
        """Stop the tool, whose response is longer or takes longer than is read, without the hooks around it."""
        if self._intercepted is not None:
            self._intercepted.stop()
        else:
            self._work.stop()

    @property
    def is_stopped(self) -> bool:
        return self._work.is_stopped

    @property
    def is_task(self) -> bool:
        """Whether this runs after the request that started it."""
        return self.context.is_task

    @property
    def is_interrupted(self) -> bool:
        return self._interrupted is not None

    async def interrupt(self) -> None:
        """End all of it, background tasks included, and answer with an error if there is no answer yet."""
        self._interrupted = asyncio.get_running_loop().create_future()
        self.stop()
        self.stop_work()
        try:
            if self._heartbeat is not None:
                await self._heartbeat.finish()
            await self._fail(ServerShutdownError())
        finally:
            self._interrupted.set_result(None)

    def _begin_waiting(self) -> None:
        self._host.waits[self.tool.name] = True
        if self._on_wait is not None:
            self._on_wait(self.stop)
        report, seconds = self.context.report, self._host.progress_seconds
        if isinstance(report, SteadyReport) and seconds and not self._is_answered and not self.context.is_task:
            self._heartbeat = Heartbeat(report, seconds)


class _Intercepted:
    """A run with an interceptor around it.

    The interceptor gets the outcome while background tasks of the tool may still run, so the tool runs in a task of
    its own. That task has the context variables that the interceptor set, and waits with its background work until the
    client has the result.
    """

    def __init__(self, run: Run, interceptor: Interceptor, call: ToolCall) -> None:
        self._run = run
        self._interceptor = interceptor
        self._call = call
        self._work: CancellableWork | None = None
        self._task: asyncio.Task[None] | None = None
        self._outcome: asyncio.Future[Outcome] | None = None
        self._delivered = asyncio.Event()

    async def execute(self) -> None:
        try:
            await self._call.deliver(await self._interceptor(self._call, self._proceed))
        finally:
            self._delivered.set()
            await self._ended()

    async def _proceed(self) -> Outcome:
        if self._task is not None:
            raise RuntimeError("a hook may await proceed() only once")
        outcome = self._outcome = asyncio.get_running_loop().create_future()
        self._work = CancellableWork(self._run.execute(), lambda: None)
        self._task = asyncio.create_task(self._run_tool(self._work))
        self._task.add_done_callback(lambda _: outcome.cancel())
        try:
            return await outcome
        except asyncio.CancelledError:
            self.stop()
            raise

    async def _run_tool(self, work: CancellableWork) -> None:
        await work.run()
        await self._run.closed()

    async def finish(self, outcome: Outcome) -> None:
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_result(outcome)
        del outcome
        await self._delivered.wait()

    def stop(self) -> None:
        if self._work is not None:
            self._work.stop()

    async def _ended(self) -> None:
        """Wait for the tool, which ends by itself once it was stopped."""
        if self._task is None:
            return
        try:
            await asyncio.shield(self._task)
        except asyncio.CancelledError:
            self.stop()
            await asyncio.wait({self._task})
            raise
