"""FastAPI dependencies with which an endpoint asks the user, reports progress and changes, and logs to the client."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Annotated, Any, Literal, Protocol, TypeAlias

from fastapi import Depends, FastAPI, Header
from starlette.requests import HTTPConnection, Request

from toolway.calls.context import LogCallback, ProgressCallback, context_of
from toolway.catalog import EndpointTool, Tool
from toolway.elicitation import Asker
from toolway.elicitation.over_http import ANSWERS_HEADER, STATE_HEADER, HttpQuestionChannel, HttpStateCodec
from toolway.host.app_state import state_of
from toolway.openapi import iter_applications
from toolway.settings import Settings, read_settings

__all__ = [
    "LEVELS",
    "Ask",
    "Changed",
    "Changes",
    "Level",
    "Log",
    "Logger",
    "Progress",
    "Reporter",
    "delivering_changes_to",
    "may_ask",
    "may_log",
    "prepare_questions",
]

_State: TypeAlias = Annotated[
    str | None,
    Header(alias=STATE_HEADER, description="The state of the 428 response, when sending the answers."),
]
_Answers: TypeAlias = Annotated[
    str | None,
    Header(alias=ANSWERS_HEADER, description='The answers as JSON, by the keys of the 428 response: {"key": {...}}.'),
]

Level: TypeAlias = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]

LEVELS: tuple[Level, ...] = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""Log levels by increasing severity (RFC 5424, section 6.2.1)."""


async def _asker(request: Request, state: _State = None, answers: _Answers = None) -> Asker:
    """Return an asker for the client of the tool call or HTTP request."""
    context = context_of(request)
    if context is not None and context.asking is not None:
        return Asker(context.asking)
    app_state = state_of(request.app)
    if app_state.question_codec is None:
        app_state.question_codec = HttpStateCodec(read_settings())
    return Asker(HttpQuestionChannel(request, app_state.question_codec, state, answers))


Ask: TypeAlias = Annotated[Asker, Depends(_asker)]
"""A dependency that asks the user: ``async def greet(ask: Ask)``, then ``name = await ask("Your name?", Name)``.

It is not an argument of the tool.
"""


def prepare_questions(app: FastAPI, settings: Settings) -> None:
    """Use these settings for questions over plain HTTP in an application and those that are mounted in it.

    Endpoints of other applications ask with the settings of the environment.
    """
    codec = HttpStateCodec(settings)
    for each in iter_applications(app):
        state = state_of(each)
        if state.question_codec is None:
            state.question_codec = codec


def may_ask(tool: Tool) -> bool:
    """Return whether a call may ask the user, or needs a confirmation before it runs."""
    if not isinstance(tool, EndpointTool):
        return tool.asks_user
    return tool.confirmation is not None or _asker in tool.operation.dependencies


class Reporter:
    """Reports progress to the client; does nothing over plain HTTP, or if the client has not requested progress."""

    def __init__(self, report: ProgressCallback | None) -> None:
        self._report = report

    async def __call__(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Report the progress of the work.

        Args:
            progress: in any unit. A report that does not exceed the previous one is dropped.
            total: the final value in the same unit, if it is known.
            message: a text for people to read.
        """
        if self._report is not None:
            await self._report(progress, total if total is None or math.isfinite(total) else None, message)


async def _reporter(connection: HTTPConnection) -> Reporter:
    context = context_of(connection)
    return Reporter(context.report if context is not None else None)


Progress: TypeAlias = Annotated[Reporter, Depends(_reporter)]
"""A dependency that reports progress: ``async def export(progress: Progress)``, then ``await progress(50, total=100)``.

It is not an argument of the tool, and not part of the OpenAPI document. At most 20 reports per second are sent.
"""


class _Listener(Protocol):
    def changed(self, *uris: str, tools: bool = False, prompts: bool = False, resources: bool = False) -> None: ...


@contextmanager
def delivering_changes_to(listener: _Listener, apps: Iterable[FastAPI]) -> Generator[None]:
    """Pass the changes that endpoints of these applications report to a listener."""
    states = [state_of(app) for app in apps]
    for state in states:
        state.listeners.append(listener)
    try:
        yield
    finally:
        for state in states:
            state.listeners.remove(listener)


class Changed:
    """Notifies subscribed clients of changes; does nothing if the application does not serve MCP."""

    def __init__(self, listeners: Iterable[_Listener]) -> None:
        self._listeners = tuple(listeners)

    def __call__(self, *uris: str, tools: bool = False, prompts: bool = False, resources: bool = False) -> None:
        """Report that resources, by URI, or whole lists have changed. Safe in any thread; does not block."""
        for listener in self._listeners:
            listener.changed(*uris, tools=tools, prompts=prompts, resources=resources)


async def _changed(connection: HTTPConnection) -> Changed:
    return Changed(state_of(connection.scope["app"]).listeners)


Changes: TypeAlias = Annotated[Changed, Depends(_changed)]
"""A dependency that notifies clients of changes: ``async def cancel(changed: Changes)``, then ``changed("orders://#W1")``.

It works over MCP and over plain HTTP. It is neither an argument of the tool nor part of the OpenAPI document.
"""


class Logger:
    """Sends log messages to the client; does nothing over plain HTTP, or if the client has not requested any."""

    def __init__(self, say: LogCallback | None) -> None:
        self._say = say

    async def __call__(self, message: Any, level: Level = "info", *, logger: str | None = None) -> None:
        """Send a message, which is text or any JSON value; `logger` names its source."""
        if self._say is not None:
            await self._say(level, message, logger)


async def _logger(connection: HTTPConnection) -> Logger:
    context = context_of(connection)
    return Logger(context.say if context is not None else None)


Log: TypeAlias = Annotated[Logger, Depends(_logger)]
"""A dependency that sends log messages to the client: ``async def work(log: Log)``, then ``await log("Started")``.

MCP 2026-07-28 has deprecated this. New code uses the server's own log and `Progress`.
"""


def may_log(tool: Tool) -> bool:
    """Return whether a call may send log messages to the client."""
    return isinstance(tool, EndpointTool) and _logger in tool.operation.dependencies
