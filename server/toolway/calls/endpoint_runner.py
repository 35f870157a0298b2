"""Calls of endpoints: arguments to a request, through the application, its response to an outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from toolway.calls.dispatcher import Dispatcher
from toolway.calls.reply import Reply
from toolway.calls.request.caller_headers import check_not_carried, mention_missing_values, read_carried_names
from toolway.calls.request.request_builder import Request, build_request
from toolway.calls.response.corrections import add_corrected_call
from toolway.calls.response.error_results import report_https_redirect, report_internal_error, report_invalid_argument
from toolway.calls.response.field_selection import read_fields, select_fields
from toolway.calls.response.job_polling import JobPoller, add_location_hint
from toolway.calls.response.outcome import Outcome
from toolway.calls.response.redirects import Step, is_https_redirect, resolve_location, resolve_redirect
from toolway.calls.response.response_parser import parse_response
from toolway.calls.response.set_cookies import collect_credentials, find_set_cookies, mention_cookies
from toolway.calls.tool_call import ToolCall
from toolway.catalog import EndpointTool, FieldTree, Tool
from toolway.errors import ArgumentError
from toolway.openapi import ParameterNames

__all__ = ["EndpointRunner"]

logger = logging.getLogger("toolway.calls")

_MOST_REDIRECTS = 5


class EndpointRunner:
    """Runs the tools that are endpoints of one application.

    Args:
        dispatcher: sends the requests.
        ignore_unknown: drop arguments that a tool does not have.
        follow_seconds: how long work that an endpoint has accepted is followed, if its tool asks for that.
    """

    def __init__(self, dispatcher: Dispatcher, *, ignore_unknown: bool = False, follow_seconds: float = 300) -> None:
        self.dispatcher = dispatcher
        self.ignore_unknown = ignore_unknown
        self.follow_seconds = follow_seconds
        self.tools: Mapping[str, EndpointTool] = {}
        self._credentials: ParameterNames | None = None
        self._warned: set[str] = set()

    @property
    def forwarded(self) -> frozenset[bytes]:
        """Headers of the MCP request that are forwarded besides credentials."""
        return self.dispatcher.forwarded

    def offer(self, tools: Mapping[str, Tool]) -> None:
        """Run these tools from now on; running calls are not affected."""
        self.tools = {name: tool for name, tool in tools.items() if isinstance(tool, EndpointTool)}
        self._credentials = None
        self.dispatcher.prepare(tool.operation for tool in self.tools.values())

    def describe_direct_calls(self, sites: Collection[object]) -> str:
        """Return for how many tools direct calls are on, or why they are off; empty for calls over HTTP."""
        return self.dispatcher.describe_direct_calls([tool.operation for tool in self.tools.values()], sites)

    def start(self, call: ToolCall) -> _EndpointRun:
        """Return a run for one call; it has not begun."""
        if not isinstance(call.tool, EndpointTool):
            raise TypeError(f"expected a tool that is an endpoint, got {call.tool.name!r}")
        return _EndpointRun(self, call, call.tool)

    def credentials(self) -> ParameterNames | None:
        """Return how callers authenticate to these tools; None for a remote API, which gets no cookie of theirs."""
        if self.dispatcher.is_remote:
            return None
        if self._credentials is None:
            self._credentials = collect_credentials(tool.operation for tool in self.tools.values())
        return self._credentials

    def warn_of_schema(self, name: str) -> None:
        """Log once per tool that its response does not match its output schema."""
        if name not in self._warned:
            self._warned.add(name)
            logger.warning(
                "the response of tool %r does not match its output schema, so clients get an error; "
                "@agent_tool(output_schema=False) or TOOLWAY_OUTPUT_SCHEMAS=false withholds the schema",
                name,
            )


class _EndpointRun:
    """One call of an endpoint, with the redirects and the accepted work that it leads to."""

    __slots__ = (
        "_call",
        "_dispatcher",
        "_fields",
        "_next",
        "_poller",
        "_redirects_left",
        "_request",
        "_runner",
        "_set_cookies",
        "_tool",
    )

    def __init__(self, runner: EndpointRunner, call: ToolCall, tool: EndpointTool) -> None:
        self._runner = runner
        self._call = call
        self._tool = tool
        self._dispatcher = runner.dispatcher
        self._request: Request | None = None
        self._next: Step | None = None
        self._redirects_left = _MOST_REDIRECTS
        self._poller: JobPoller | None = None
        self._set_cookies: tuple[str, ...] = ()
        self._fields: FieldTree = {}

    def check_arguments(self) -> None:
        """Build the request.

        Raises:
            ArgumentError: an argument is missing, unknown, or cannot be sent.
        """
        tool, arguments = self._tool, self._call.arguments
        if tool.selects_fields or self._call.fields is not None:
            self._fields, arguments = read_fields(tool, arguments, self._call.fields)
        request = build_request(tool, arguments, ignore_unknown=self._runner.ignore_unknown)
        if request.headers and request.headers[0][0] != b"content-type":  # which comes after those of arguments
            headers = self._dispatcher.caller_headers(tool.operation, self._call.context)
            check_not_carried(tool, arguments, read_carried_names(headers))
        self._request = request

    async def execute(self) -> None:
        """Send the request, and follow where its response leads."""
        try:
            if self._request is None:
                self.check_arguments()
        except ArgumentError as error:
            await self._call.finish(report_invalid_argument(error))
        except Exception as error:  # noqa: BLE001 - no exception may reach the caller
            await self._call.finish(report_internal_error(self._tool.name, error))
        else:
            await self._send()

    def stop_following(self) -> bool:
        """Stop following accepted work, which continues; return False if there is none."""
        if self._poller is None:
            return False
        self._poller.stop()
        return True

    async def closed(self) -> None:
        """Wait until accepted work is not followed any more."""
        if self._poller is not None:
            await self._poller.ended()

    async def _send(self) -> None:
        tool = self._tool
        request, self._request = self._request, None
        self._next = None if request is None else (tool.operation, request, tool.name)
        while self._next is not None:
            operation, request, _ = self._next
            self._next = None
            await self._dispatcher.run(request, operation, self._call.context, partial(self._handle_reply, request))

    async def _handle_reply(self, request: Request, reply: Reply) -> None:
        if reply.status == 202 and self._tool.follow and self._starts_polling(request, reply):
            return
        self._set_cookies += find_set_cookies(reply.headers)
        self._next = self._resolve_redirect(request, reply)
        if self._next is None:
            is_unhandled = 300 <= reply.status < 400 and self._redirects_to_https(request, reply)
            await self._call.finish(report_https_redirect(reply) if is_unhandled else self._parse_reply(reply))
            if reply.cut:
                self._call.stop_response()

    def _redirects_to_https(self, request: Request, reply: Reply) -> bool:
        here = self._dispatcher.address(request, self._call.context)
        return not self._dispatcher.is_remote and is_https_redirect(request, reply, here=here)

    def _starts_polling(self, request: Request, reply: Reply) -> bool:
        """Follow work that an endpoint has accepted to its result, where its Location can be followed."""
        step = self._resolve_location(request, reply)
        if step is None or reply.cut or self._call.is_stopped:
            return False
        self._poller = JobPoller(
            self._dispatcher, self._call.context,
            resolve_location=self._resolve_location, resolve_redirect=self._resolve_redirect,
            parse=self._parse_reply, deliver=self._call.finish,
        )  # fmt: skip
        self._poller.begin(step, reply, self._call.context.stream_seconds or self._runner.follow_seconds)
        return True

    def _parse_reply(self, reply: Reply) -> Outcome:
        tool, read = self._tool, self._call.read
        try:
            outcome = read(tool, self._dispatcher.decoded(reply))
            if self._fields and not outcome.is_error and outcome.structured is not None and read is parse_response:
                outcome = outcome.with_structured(select_fields(outcome.structured, self._fields))
            if outcome.breaks_schema:
                self._runner.warn_of_schema(tool.name)
            if outcome.status is not None and 400 <= outcome.status < 500:
                outcome = add_corrected_call(self._mention_missing_values(outcome), tool, self._call.arguments)
            if self._set_cookies and read is parse_response:
                outcome = mention_cookies(outcome, self._set_cookies, self._runner.credentials())
            return add_location_hint(outcome, reply) if reply.status == 202 and tool.follow else outcome
        except Exception as error:  # noqa: BLE001 - no exception may reach the caller
            return report_internal_error(tool.name, error)

    def _mention_missing_values(self, outcome: Outcome) -> Outcome:
        operation = self._tool.operation
        return mention_missing_values(outcome, operation, self._dispatcher.carried(operation, self._call.context))

    def _resolve_redirect(self, request: Request, reply: Reply) -> Step | None:
        if not 300 <= reply.status < 400 or not self._redirects_left:
            return None
        self._redirects_left -= 1
        leads_anywhere = self._poller is not None or self._dispatcher.is_remote
        step = self._resolve(resolve_redirect, request, reply, is_accepted=leads_anywhere)
        return step if step is not None and self._dispatcher.may_follow(request, reply, step) else None

    def _resolve_location(self, request: Request, reply: Reply) -> Step | None:
        return self._resolve(resolve_location, request, reply, is_accepted=True)

    def _resolve(
        self, find: Callable[..., Step | None], request: Request, reply: Reply, *, is_accepted: bool
    ) -> Step | None:
        """Find the request that a response leads to; that of accepted work need not be one of a tool."""
        context = self._call.context
        here, root = self._dispatcher.address(request, context), self._dispatcher.root_path(context)
        otherwise: Any = self._tool.operation if is_accepted else None
        return find(self._runner.tools.values(), request, reply, here=here, root=root, otherwise=otherwise)
