"""Work that an endpoint has accepted, followed to its result (202 with a Location; RFC 9110, section 15.3.3).

An endpoint may do the work after its answer, as a background task, so its state is asked for beside that.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeAlias, cast

import anyio
from pydantic_core import from_json

from toolway.calls.cancellation import CancellableWork
from toolway.calls.context import CallContext
from toolway.calls.dispatcher import Dispatcher, Reply
from toolway.calls.request.request_builder import Request
from toolway.calls.response.outcome import Deliver, Outcome
from toolway.calls.response.redirects import Step
from toolway.content import TextContent

__all__ = ["JobPoller", "told"]

_USUAL_SECONDS = 1.0
_LEAST_SECONDS = 0.1
_MOST_SECONDS = 30.0
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]+)?")
_WORDS = ("message", "detail", "status", "state")
_LONGEST = 200

ResolveLocation: TypeAlias = Callable[[Request, Reply], Step | None]
"""Finds the request to which an answer leads."""


class JobPoller:
    """Asks for the state of accepted work until that is no longer 202, and delivers what came then.

    Args:
        dispatcher: what sends the requests.
        context: the call; its caller hears of each answer, and is asked nothing.
        located: where a Location leads.
        redirected: where a redirect leads.
        read: says what the last answer means.
        deliver: gets the outcome.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        context: CallContext,
        *,
        located: ResolveLocation,
        redirected: ResolveLocation,
        read: Callable[[Reply], Outcome],
        deliver: Deliver,
    ) -> None:
        self._dispatcher = dispatcher
        self._report = context.report
        self._context = replace(context, report=None, asking=None)  # to ask would be to begin the work once more
        self._located = located
        self._redirected = redirected
        self._read = read
        self._deliver = deliver
        self._next: tuple[Step, Reply] | None = None
        self._where = ""
        self._is_over = False
        self._work: CancellableWork | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, step: Step, reply: Reply, seconds: float) -> None:
        """Follow the work for so many seconds, in a task of its own."""
        self._go_on(step, reply)
        self._work = CancellableWork(self._ask(), lambda: None)
        self._task = asyncio.create_task(self._run(self._work, step[2], seconds))

    async def ended(self) -> None:
        """Wait until nothing is asked any more."""
        if self._task is not None:
            await self._task

    def stop(self) -> None:
        self._is_over = True
        if self._work is not None:
            self._work.stop()

    async def _run(self, work: CancellableWork, tool: str, seconds: float) -> None:
        asking = asyncio.create_task(work.run())
        done, _ = await asyncio.wait({asking}, timeout=seconds)
        if not done:
            await self._end(_unfinished(tool, self._where, seconds))
            self.stop()
        await asking

    async def _ask(self) -> None:
        count = 0
        while self._next is not None and not self._is_over:
            step, reply = self._next
            operation, request, _ = step
            self._next = None
            if reply.status == 202:
                count += 1
                await self._tell(count, reply)
                await anyio.sleep(_pause(reply))
            await self._dispatcher.run(request, operation, self._context, partial(self._take, step))

    async def _tell(self, count: int, reply: Reply) -> None:
        if self._report is not None:
            await self._report(count, None, _words(self._dispatcher.decoded(reply)))

    async def _take(self, step: Step, reply: Reply) -> None:
        _, request, _ = step
        if reply.status == 202 and not reply.cut:
            self._go_on(self._located(request, reply) or step, reply)
        elif (moved := self._redirected(request, reply)) is not None:
            self._go_on(moved, reply)
        else:
            await self._end(_explained(self._read(reply), self._where))
            if reply.cut:
                self.stop()

    def _go_on(self, step: Step, reply: Reply) -> None:
        self._where = reply.header(b"location") or self._where
        self._next = step, reply

    async def _end(self, outcome: Outcome) -> None:
        if not self._is_over:
            self._is_over = True
            await self._deliver(outcome)


def told(outcome: Outcome, reply: Reply) -> Outcome:
    """Say where the state of accepted work can be seen, where toolway does not go."""
    where = reply.header(b"location")
    if not where or outcome.is_error:
        return outcome
    text = f"202 Accepted. The job was not followed; check its status at {where}."
    return outcome.with_text(text) if reply.body else replace(outcome, blocks=(TextContent(text=text),))


def _unfinished(tool: str, where: str, seconds: float) -> Outcome:
    action = f"Call {tool!r} (or GET {where})" if tool else f"GET {where}"
    text = f"202 Accepted; still running after {seconds:g} seconds. {action} for its status."
    return Outcome((TextContent(text=text),), status=202)


def _explained(outcome: Outcome, where: str) -> Outcome:
    """Say of an error that it came after the work was accepted: to call again might do it twice."""
    if not outcome.is_error:
        return outcome
    return outcome.with_text(
        f"The job was accepted earlier; this error came from checking its status at {where}. "
        "Retrying may start it twice."
    )


def _pause(reply: Reply) -> float:
    """Seconds until the next request: what Retry-After says (RFC 9110, section 10.2.3), within reason."""
    text = reply.header(b"retry-after").strip()
    seconds = float(text) if _SECONDS.fullmatch(text) else _seconds_until(text)
    return min(max(seconds, _LEAST_SECONDS), _MOST_SECONDS)


def _seconds_until(text: str) -> float:
    """Seconds until an HTTP date, in any of its three forms."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return _USUAL_SECONDS
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _words(reply: Reply) -> str | None:
    """What a status document says in short."""
    try:
        body = from_json(reply.body)
    except ValueError:
        return None
    members = cast("Mapping[str, Any]", body if isinstance(body, Mapping) else {})
    texts = (members.get(name) for name in _WORDS)
    return next((text[:_LONGEST] for text in texts if isinstance(text, str) and text), None)
