"""Running an application for one command."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar, cast

import anyio

from toolway.app import Running, Toolway
from toolway.cli.app_loader import told
from toolway.errors import ConfigurationError, ToolwayError

__all__ = ["ShutdownError", "cause_of", "run", "start_failure", "started"]

T = TypeVar("T")


@asynccontextmanager
async def started(toolway: Toolway, *, works: bool = False) -> AsyncGenerator[Running]:
    """Run the application's lifespan.

    Args:
        works: take up waiting tasks.

    Raises:
        ConfigurationError: its startup failed.
        ShutdownError: its shutdown failed.
    """
    stack = AsyncExitStack()
    try:
        running = await stack.enter_async_context(toolway.running(works=works))
    except (Exception, SystemExit) as error:  # the application's startup runs here
        raise start_failure(error) from error
    try:
        yield running
    finally:
        # Without the exception that a command may be ending with, as under a server: it is not the application's.
        try:
            await stack.aclose()
        except (Exception, SystemExit) as error:
            raise ShutdownError(f"the application failed to shut down: {told(cause_of(error))}") from error


class ShutdownError(ToolwayError):
    """The application's shutdown raised, after the command had done its work."""


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
