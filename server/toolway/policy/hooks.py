"""Hooks: code of the application around every tool call, and its choice of the tools that a caller may see.

A hook is an object with one or both of these methods:

- ``async def call(self, call, proceed)`` runs around a call. It returns an outcome: that of ``await proceed()``, or
  another one. An `HTTPException` that it raises is the error of the call; of any other exception, the caller gets a
  reference id.
- ``def visible(self, tool, caller)`` returns whether a caller may see and call a tool.

The first hook is the outermost. A hook that has a method ``applies(self, tool)`` is left out of the calls of tools for
which that returns False; it is asked once per tool.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, cast

from starlette.datastructures import Headers

from toolway.calls import CallContext, Interceptor, Outcome, Proceed, ToolCall, outcome_of_exception
from toolway.catalog import EndpointTool, Tool
from toolway.elicitation import QuestionChannel
from toolway.errors import ConfigurationError
from toolway.policy.confirmation import Confirmation

__all__ = ["Call", "Caller", "Hooks", "Proceed"]


class Caller:
    """The client behind a request, as far as the server knows it."""

    __slots__ = ("_context",)

    def __init__(self, context: CallContext) -> None:
        self._context = context

    @property
    def headers(self) -> Headers:
        """Headers of the MCP request; over stdio, those of the settings (``TOOLWAY_AUTHORIZATION`` and others)."""
        return Headers(raw=list(self._context.headers))

    @property
    def user(self) -> Any:
        """``scope["user"]`` of the MCP request, set by authentication middleware; None if there is none."""
        return self._context.outer.get("user")

    @property
    def auth(self) -> Any:
        """``scope["auth"]`` of the MCP request; None if there is none."""
        return self._context.outer.get("auth")

    @property
    def address(self) -> str | None:
        """The IP address of the client; None if it is not known."""
        return self._context.client[0] if self._context.client else None


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call, as a hook sees it."""

    tool: Tool
    arguments: Mapping[str, Any]
    """The arguments as the client sent them; the endpoint has not validated them yet."""
    caller: Caller
    is_task: bool
    """Whether the call runs as a task, after the request that started it."""
    questions: QuestionChannel | None
    """The way to ask the user; None if the client cannot be asked."""
    check_arguments: Callable[[], None]
    """Raise an `ArgumentError` if the tool would refuse the arguments before it runs."""


_REQUIRED_CONFIRMATION = Confirmation(required=True)

_Around: TypeAlias = Callable[[Call, Proceed], Awaitable[Outcome]]


class _CallHook(Protocol):
    @property
    def call(self) -> _Around: ...

    def applies(self, tool: Tool) -> bool: ...


class _VisibilityHook(Protocol):
    def visible(self, tool: Tool, caller: Caller) -> bool: ...


class Hooks:
    """The hooks of an application, the first one outermost, and confirmation inside them.

    Args:
        hooks: objects with a method ``call``, a method ``visible``, or both.
        confirmation: asks for confirmation before tools that want it; None never asks.

    Raises:
        ConfigurationError: an object has neither method, or its ``call`` is not ``async def``.
    """

    def __init__(self, hooks: Sequence[object] = (), confirmation: Confirmation | None = None) -> None:
        for hook in hooks:
            _check(hook)
        self.confirmation = confirmation
        self._around = cast("list[_CallHook]", [hook for hook in hooks if hasattr(hook, "call")])
        self._filters = cast("list[_VisibilityHook]", [hook for hook in hooks if hasattr(hook, "visible")])
        self.hides_tools = bool(self._filters)
        """Whether some tools may be hidden from some callers."""

    def shows(self, tool: Tool, context: CallContext) -> bool:
        """Return whether the caller may see and call a tool."""
        caller = Caller(context)
        return all(hook.visible(tool, caller) for hook in self._filters)

    def asks_first(self, tool: Tool, context: CallContext) -> bool:
        """Return whether the user has to confirm a call before the tool runs."""
        return self.confirmation is not None and self.confirmation.asks(tool, context.asking)

    def interceptor(self, tool: Tool) -> Interceptor | None:
        """Return what runs around every call of a tool; None if there is nothing."""
        always = isinstance(tool, EndpointTool) and tool.always_confirms
        confirmation = _REQUIRED_CONFIRMATION if always else self.confirmation
        hooks = self._around if confirmation is None else [*self._around, confirmation]
        around = [hook.call for hook in hooks if not hasattr(hook, "applies") or hook.applies(tool)]
        if not around:
            return None

        async def intercept(call: ToolCall, proceed: Proceed) -> Outcome:
            seen = _seen(call)
            for hook in reversed(around):
                proceed = _within(hook, seen, proceed)
            return await proceed()

        return intercept


def _within(hook: _Around, call: Call, proceed: Proceed) -> Proceed:
    async def run() -> Outcome:
        try:
            return await hook(call, proceed)
        except BaseException as error:  # noqa: BLE001 - a hook may raise anything, as an endpoint may
            return outcome_of_exception(call.tool, error)

    return run


def _seen(call: ToolCall) -> Call:
    context = call.context
    return Call(
        call.tool,
        MappingProxyType(dict(call.arguments)),
        Caller(context),
        is_task=context.is_task,
        questions=context.asking,
        check_arguments=call.check_arguments,
    )


def _check(hook: object) -> None:
    if not (hasattr(hook, "call") or hasattr(hook, "visible")):
        raise ConfigurationError(f"expected a hook to have a method 'call' or 'visible', got {hook!r}")
    call = getattr(hook, "call", None)
    if call is not None and not iscoroutinefunction(call):
        raise ConfigurationError(f"expected the method 'call' of the hook {hook!r} to be 'async def'")
