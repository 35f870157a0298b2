"""Polling for the result of a job that an endpoint accepted (202 with a Location; RFC 9110, section 15.3.3).

The endpoint may do the work in a background task after its response, so polling runs beside that task.
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
from toolway.calls.dispatcher import Dispatcher
from toolway.calls.reply import Reply
from toolway.calls.request.request_builder import Request
from toolway.calls.response.outcome import Deliver, Outcome
from toolway.calls.response.redirects import Step
from toolway.content import TextContent

__all__ = ["JobPoller", "add_location_hint"]

_DEFAULT_SECONDS = 1.0
_MIN_SECONDS = 0.1
_MAX_SECONDS = 30.0
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]+)?")
_MESSAGE_MEMBERS = ("message", "detail", "status", "state")
_LONGEST = 200

ResolveLocation: TypeAlias = Callable[[Request, Reply], Step | None]
"""Returns the request for the Location of a response; None if it must not be followed."""


class JobPoller:
    """Requests the status of an accepted job until it is no longer 202, and delivers the final outcome.

    Args:
        dispatcher: sends the requests.
        context: the call; each status is reported as progress, and no questions are asked.
        resolve_location: returns the request for a job's Location.
        resolve_redirect: returns the request that a redirect leads to.
        parse: turns the final response into an outcome.
        deliver: receives the outcome.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        context: CallContext,
        *,
        resolve_location: ResolveLocation,
        resolve_redirect: ResolveLocation,
        parse: Callable[[Reply], Outcome],
        deliver: Deliver,
    ) -> None:
        self._dispatcher = dispatcher
        self._report = context.report
        self._context = replace(context, report=None, asking=None)  # asking would start the job again
        self._resolve_location = resolve_location
        self._resolve_redirect = resolve_redirect
        self._parse = parse
        self._deliver = deliver
        self._next: tuple[Step, Reply] | None = None
        self._location = ""
        self._is_over = False
        self._work: CancellableWork | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, step: Step, reply: Reply, seconds: float) -> None:
        """Start polling in a task of its own, for at most `seconds`."""
        self._set_next(step, reply)
        self._work = CancellableWork(self._poll(), lambda: None)
        self._task = asyncio.create_task(self._run(self._work, step[2], seconds))

    async def ended(self) -> None:
        """Wait until polling has ended."""
        if self._task is not None:
            await self._task

    def stop(self) -> None:
        self._is_over = True
        if self._work is not None:
            self._work.stop()

    async def _run(self, work: CancellableWork, tool: str, seconds: float) -> None:
        polling = asyncio.create_task(work.run())
        done, _ = await asyncio.wait({polling}, timeout=seconds)
        if not done:
            await self._end(_report_unfinished(tool, self._location, seconds))
            self.stop()
        await polling

    async def _poll(self) -> None:
        count = 0
        while self._next is not None and not self._is_over:
            step, reply = self._next
            operation, request, _ = step
            self._next = None
            if reply.status == 202:
                count += 1
                if self._report is not None:
                    await self._report(count, None, _find_message(self._dispatcher.decoded(reply)))
                await anyio.sleep(_pause(reply))
            await self._dispatcher.run(request, operation, self._context, partial(self._take, step))

    async def _take(self, step: Step, reply: Reply) -> None:
        _, request, _ = step
        if reply.status == 202 and not reply.cut:
            self._set_next(self._resolve_location(request, reply) or step, reply)
        elif (moved := self._resolve_redirect(request, reply)) is not None:
            self._set_next(moved, reply)
        else:
            await self._end(_mention_job(self._parse(reply), self._location))
            if reply.cut:
                self.stop()

    def _set_next(self, step: Step, reply: Reply) -> None:
        self._location = reply.header(b"location") or self._location
        self._next = step, reply

    async def _end(self, outcome: Outcome) -> None:
        if not self._is_over:
            self._is_over = True
            await self._deliver(outcome)


def add_location_hint(outcome: Outcome, reply: Reply) -> Outcome:
    """Add the URL of a job's status to the outcome of a 202 that was not followed."""
    where = reply.header(b"location")
    if not where or outcome.is_error:
        return outcome
    text = f"202 Accepted. The job was not followed; check its status at {where}."
    return outcome.with_text(text) if reply.body else replace(outcome, blocks=(TextContent(text=text),))


def _report_unfinished(tool: str, where: str, seconds: float) -> Outcome:
    action = f"Call {tool!r} (or GET {where})" if tool else f"GET {where}"
    text = f"202 Accepted; still running after {seconds:g} seconds. {action} for its status."
    return Outcome((TextContent(text=text),), status=202)


def _mention_job(outcome: Outcome, where: str) -> Outcome:
    """Add to an error that the job was accepted before it, because another call could start the job twice."""
    if not outcome.is_error:
        return outcome
    return outcome.with_text(
        f"The job was accepted earlier; this error came from checking its status at {where}. "
        "Retrying may start it twice."
    )


def _pause(reply: Reply) -> float:
    """Return the seconds until the next request: Retry-After (RFC 9110, section 10.2.3), within limits."""
    text = reply.header(b"retry-after").strip()
    seconds = float(text) if _SECONDS.fullmatch(text) else _seconds_until(text)
    return min(max(seconds, _MIN_SECONDS), _MAX_SECONDS)


def _seconds_until(text: str) -> float:
    """Return the seconds until an HTTP date, in any of its three formats."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return _DEFAULT_SECONDS
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _find_message(reply: Reply) -> str | None:
    """Return the message in a status response, if there is one."""
    try:
        body = from_json(reply.body)
    except ValueError:
        return None
    members = cast("Mapping[str, Any]", body if isinstance(body, Mapping) else {})
    texts = (members.get(name) for name in _MESSAGE_MEMBERS)
    return next((text[:_LONGEST] for text in texts if isinstance(text, str) and text), None)
