"""Running an application for one command."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar, cast

import anyio

from toolway._toolway import Running, Toolway
from toolway.cli.loading import told
from toolway.errors import ConfigurationError, ToolwayError

__all__ = ["cause_of", "run", "start_failure", "started"]

T = TypeVar("T")


@asynccontextmanager
async def started(toolway: Toolway, *, works: bool = False) -> AsyncGenerator[Running]:
    """Run the application's lifespan.

    Args:
        works: take up waiting tasks.

    Raises:
        ConfigurationError: its start-up failed, for whatever reason.
    """
    stack = AsyncExitStack()
    try:
        running = await stack.enter_async_context(toolway.running(works=works))
    except Exception as error:  # somebody else's start-up runs here
        raise start_failure(error) from error
    try:
        yield running
    finally:
        await stack.aclose()  # in good order, as under a server: what goes wrong here is none of the application's


def start_failure(error: BaseException) -> ToolwayError:
    """What kept an application from starting, in one line."""
    cause = cause_of(error)
    if isinstance(cause, ToolwayError):
        return cause
    return ConfigurationError(f"the application did not start: {told(cause)}")


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function; task groups do not hide what went wrong."""
    try:
        return anyio.run(work)
    except BaseExceptionGroup as group:
        raise cause_of(group) from group


def cause_of(error: BaseException) -> BaseException:
    """The first of the exceptions that a task group has put together."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
