"""One call from name and arguments to outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, Literal, TypeAlias

import anyio
from fastapi import HTTPException

from toolway.calls.cancellation import CancellableWork, ends_task
from toolway.calls.context import CallContext
from toolway.calls.dispatcher import Dispatcher, Reply
from toolway.calls.progress import Heartbeat, SteadyReport
from toolway.calls.request.caller_headers import carried_names, name_missing, refuse_carried
from toolway.calls.request.request_builder import Request, bind
from toolway.calls.response.error_results import https_required, internal_failure, not_asked, refused_argument
from toolway.calls.response.job_polling import JobPoller, told
from toolway.calls.response.outcome import Deliver, Outcome
from toolway.calls.response.redirects import Step, followed, is_sent_to_https, located
from toolway.calls.response.response_parser import outcome_of
from toolway.calls.response.set_cookies import cookies_set, credentials_of, name_cookies
from toolway.catalog import Catalog, Tool
from toolway.errors import ArgumentError, ServerShutdownError, UnknownToolError
from toolway.openapi import ParameterNames
from toolway.policy.confirmation import confirm

__all__ = ["Invoker", "ToolCall"]

logger = logging.getLogger("toolway.calls")

_MOST_REDIRECTS = 5
_LONGEST_NAME = 100
_CLEANUP_SECONDS = 1.0
"""How long interrupted calls may take to clean up."""

Fail: TypeAlias = Callable[[ServerShutdownError], Awaitable[None]]
"""Answers a call that will have no outcome; does nothing after an answer."""

Read: TypeAlias = Callable[[Tool, Reply], Outcome]
"""Says what an application's answer means."""


class Invoker:
    """Calls the tools of a catalogue; knows nothing of who asks, or in which protocol.

    Args:
        catalog: the tools.
        dispatchers: what sends a tool's requests, by the tool's origin.
        ignore_unknown: drop arguments that a tool does not have.
        confirms: ask for a yes before tools that want one, always or where the caller can be asked.
        follow_seconds: how long work that an endpoint has accepted is followed, where it wants that.
        shutdown_seconds: how long calls may take to finish once the server is shutting down.
        progress_seconds: how often a caller that wants progress hears that its call is still running; 0 for never.
    """

    def __init__(
        self,
        catalog: Catalog,
        dispatchers: Mapping[str, Dispatcher],
        *,
        ignore_unknown: bool = False,
        confirms: bool | Literal["if_possible"] = True,
        follow_seconds: float = 300,
        shutdown_seconds: float = 10,
        progress_seconds: float = 0,
    ) -> None:
        self.dispatchers = dispatchers
        self.ignore_unknown = ignore_unknown
        self.confirms = confirms
        self.follow_seconds = follow_seconds
        self.shutdown_seconds = shutdown_seconds
        self.progress_seconds = progress_seconds
        self._deadline: float | None = None
        """By when calls have to finish, in the event loop's time; None while the server is not shutting down."""
        self._interrupting: asyncio.Task[None] | None = None
        self._running: set[ToolCall] = set()
        self._warned: set[str] = set()
        self.waits: dict[str, bool] = {}
        """Of tools that have been called, by name: whether a call has ever waited for anything."""
        self._idle: anyio.Event | None = None
        self.offer(catalog)

    def offer(self, catalog: Catalog) -> None:
        """Call the tools of this catalogue from now on; calls on their way end as they began."""
        self.tools = catalog.tools
        self._credentials: dict[str, ParameterNames] = {}
        for origin, dispatcher in self.dispatchers.items():
            dispatcher.prepare(tool.operation for tool in self.tools.values() if tool.origin == origin)

    def credentials(self, origin: str) -> ParameterNames:
        """Return how callers authenticate to the tools of one origin."""
        if origin not in self._credentials:
            operations = (tool.operation for tool in self.tools.values() if tool.origin == origin)
            self._credentials[origin] = credentials_of(operations)
        return self._credentials[origin]

    def tool(self, name: str) -> Tool:
        """Return a listed tool.

        Raises:
            UnknownToolError: no such tool is listed; the text names the nearest.
        """
        tool = self.tools.get(name)
        if tool is None:
            name = name[:_LONGEST_NAME]  # a search for the nearest takes its time with a long one
            near = get_close_matches(name, self.tools, n=1)
            raise UnknownToolError(f"Unknown tool: {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return tool

    async def call(self, name: str, arguments: Mapping[str, Any], context: CallContext) -> Outcome:
        """Call one tool, and return its outcome as soon as that is known; background tasks go on without the caller.

        Whatever goes wrong inside is an outcome, too; only an unlisted tool is an exception. When the caller goes away
        (this is cancelled), the work is stopped.

        Raises:
            UnknownToolError: no such tool is listed.
            ServerShutdownError: the server stopped before the call had finished.
        """
        return await self.perform(self.tool(name), arguments, context)

    async def perform(
        self, tool: Tool, arguments: Mapping[str, Any], context: CallContext, read: Read = outcome_of
    ) -> Outcome:
        """Call any tool as `call` does, listed or not; `read` says what its answer means."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        async def deliver(outcome: Outcome) -> None:
            if not answer.done():
                answer.set_result(outcome)

        async def fail(error: ServerShutdownError) -> None:
            if not answer.done():
                answer.set_exception(error)

        call = ToolCall(self, tool, arguments, context, deliver, fail, read)
        task = asyncio.create_task(self.run(call))
        task.add_done_callback(lambda _: answer.cancel())  # it was stopped before there was an outcome
        try:
            return await answer
        except asyncio.CancelledError as error:
            if not ends_task(error):  # the endpoint has canceled the task that it runs in
                return internal_failure(tool.name, error)
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

    def warn_of_schema(self, name: str) -> None:
        """Log once per tool that its response does not match its output schema."""
        if name not in self._warned:
            self._warned.add(name)
            logger.warning(
                "the response of tool %r does not match its output schema, so clients get an error; "
                "@agent_tool(output_schema=False) or TOOLWAY_OUTPUT_SCHEMAS=false withholds the schema",
                name,
            )

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


class ToolCall:
    """One call of a tool, to be run once; when it has to wait for something, `on_wait` gets what stops it."""

    def __init__(
        self,
        calls: Invoker,
        tool: Tool,
        arguments: Mapping[str, Any],
        context: CallContext,
        deliver: Deliver,
        fail: Fail,
        read: Read = outcome_of,
        *,
        on_wait: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._calls = calls
        self._tool = tool
        self._dispatcher = calls.dispatchers[tool.origin]
        self._context = context
        self._deliver = deliver
        self._fail = fail
        self._read = read
        self._on_wait = on_wait
        self._next: Step | None = None
        self._redirects_left = _MOST_REDIRECTS
        self._accepted: JobPoller | None = None
        self._heartbeat: Heartbeat | None = None
        self._is_answered = False
        self._interrupted: asyncio.Future[None] | None = None
        self._set_cookies: tuple[str, ...] = ()
        self._work = CancellableWork(self._perform(arguments), self._waits)

    async def run(self) -> None:
        waits, name = self._calls.waits, self._tool.name
        try:
            if waits.get(name, True):
                await self._work.run()
            else:
                await self._work.run_at_once()
            waits.setdefault(name, False)
            if self._accepted is not None:
                await self._accepted.ended()
        finally:
            if self._heartbeat is not None:
                self._heartbeat.cancel()
        if self._interrupted is not None:
            await self._interrupted

    def stop(self) -> None:
        """End the work where it may be ended, as its caller has left; accepted work goes on, but is not followed."""
        if self._accepted is not None:
            self._accepted.stop()
        else:
            self._work.stop()

    @property
    def is_task(self) -> bool:
        """Whether this runs after the request that started it."""
        return self._context.is_task

    @property
    def is_interrupted(self) -> bool:
        return self._interrupted is not None

    async def interrupt(self) -> None:
        """End all of it, background tasks included, and answer with an error if there is no answer yet."""
        self._interrupted = asyncio.get_running_loop().create_future()
        self.stop()
        self._work.stop()
        try:
            if self._heartbeat is not None:
                await self._heartbeat.finish()
            await self._fail(ServerShutdownError())
        finally:
            self._interrupted.set_result(None)

    def _waits(self) -> None:
        self._calls.waits[self._tool.name] = True
        if self._on_wait is not None:
            self._on_wait(self.stop)
        report, seconds = self._context.report, self._calls.progress_seconds
        if isinstance(report, SteadyReport) and seconds and not self._is_answered and not self._context.is_task:
            self._heartbeat = Heartbeat(report, seconds)

    async def _finish(self, outcome: Outcome) -> None:
        self._is_answered = True
        if self._heartbeat is not None:
            await self._heartbeat.finish()
        delivery = self._deliver(outcome)
        del outcome  # a slow client must not keep a large one alive
        await delivery

    async def _perform(self, arguments: Mapping[str, Any]) -> None:
        try:
            request = bind(self._tool, arguments, ignore_unknown=self._calls.ignore_unknown)
            if request.headers and request.headers[0][0] != b"content-type":  # which comes after those of arguments
                headers = self._dispatcher.caller_headers(self._tool.operation, self._context)
                refuse_carried(self._tool, arguments, carried_names(headers))
            if self._tool.confirmation is not None and self._calls.confirms:
                required = self._calls.confirms is True
                await confirm(self._tool, arguments, self._context.asking, required=required)
        except ArgumentError as error:
            await self._finish(refused_argument(error))
        except HTTPException as error:  # there was no yes
            await self._finish(not_asked(error))
        except Exception as error:  # noqa: BLE001 - the outermost edge: nothing of it may reach the caller
            await self._finish(internal_failure(self._tool.name, error))
        else:
            await self._send(request)

    async def _send(self, request: Request) -> None:
        self._next = (self._tool.operation, request, self._tool.name)
        while self._next is not None:
            operation, request, _ = self._next
            self._next = None
            await self._dispatcher.run(request, operation, self._context, partial(self._take, request))

    async def _take(self, request: Request, reply: Reply) -> None:
        if reply.status == 202 and self._tool.follow and self._is_accepted(request, reply):
            return
        self._set_cookies += cookies_set(reply.headers)
        self._next = self._followed(request, reply)
        if self._next is None:
            is_unhandled = 300 <= reply.status < 400 and self._is_sent_to_https(request, reply)
            await self._finish(https_required(reply) if is_unhandled else self._outcome(reply))
            if reply.cut:
                self.stop()

    def _is_sent_to_https(self, request: Request, reply: Reply) -> bool:
        here = self._dispatcher.address(request, self._context)
        return not self._dispatcher.is_remote and is_sent_to_https(request, reply, here=here)

    def _is_accepted(self, request: Request, reply: Reply) -> bool:
        """Follow work that an endpoint has accepted to its result, where its Location can be followed."""
        step = self._located(request, reply)
        if step is None or reply.cut or self._work.is_stopped:
            return False
        self._accepted = JobPoller(
            self._dispatcher, self._context,
            located=self._located, redirected=self._followed, read=self._outcome, deliver=self._finish,
        )  # fmt: skip
        self._accepted.begin(step, reply, self._context.stream_seconds or self._calls.follow_seconds)
        return True

    def _outcome(self, reply: Reply) -> Outcome:
        try:
            outcome = self._read(self._tool, self._dispatcher.decoded(reply))
            if outcome.breaks_schema:
                self._calls.warn_of_schema(self._tool.name)
            if outcome.status is not None and 400 <= outcome.status < 500:
                outcome = self._with_missing_named(outcome)
            if self._set_cookies and self._read is outcome_of:
                accepted = None if self._dispatcher.is_remote else self._calls.credentials(self._tool.origin)
                outcome = name_cookies(outcome, self._set_cookies, accepted)
            return told(outcome, reply) if reply.status == 202 and self._tool.follow else outcome
        except Exception as error:  # noqa: BLE001 - see above
            return internal_failure(self._tool.name, error)

    def _with_missing_named(self, outcome: Outcome) -> Outcome:
        operation = self._tool.operation
        return name_missing(outcome, operation, self._dispatcher.carried(operation, self._context))

    def _followed(self, request: Request, reply: Reply) -> Step | None:
        if not 300 <= reply.status < 400 or not self._redirects_left:
            return None
        self._redirects_left -= 1
        leads_anywhere = self._accepted is not None or self._dispatcher.is_remote
        step = self._led(followed, request, reply, is_accepted=leads_anywhere)
        return step if step is not None and self._dispatcher.may_follow(request, reply, step) else None

    def _located(self, request: Request, reply: Reply) -> Step | None:
        return self._led(located, request, reply, is_accepted=True)

    def _led(
        self, find: Callable[..., Step | None], request: Request, reply: Reply, *, is_accepted: bool
    ) -> Step | None:
        """Find where an answer leads; that of accepted work need be no tool, as the marker asks to go there."""
        here, root = self._dispatcher.address(request, self._context), self._dispatcher.root_path(self._context)
        tools = (tool for tool in self._calls.tools.values() if tool.origin == self._tool.origin)
        otherwise = self._tool.operation if is_accepted else None
        return find(tools, request, reply, here=here, root=root, otherwise=otherwise)
