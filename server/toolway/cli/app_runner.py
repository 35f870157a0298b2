"""Running of an application for the duration of one command."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar, cast

import anyio

from toolway.app import Toolway, engine_of
from toolway.cli.app_loader import told
from toolway.engine import Running
from toolway.errors import ConfigurationError, ToolwayError

__all__ = ["ShutdownError", "cause_of", "run", "start_failure", "started"]

T = TypeVar("T")


@asynccontextmanager
async def started(toolway: Toolway, *, works: bool = False) -> AsyncGenerator[Running]:
    """Run the application's lifespan around a block.

    Args:
        toolway: the Toolway of the application.
        works: whether to run waiting tasks.

    Raises:
        ConfigurationError: the application's startup failed.
        ShutdownError: the application's shutdown failed.
    """
    stack = AsyncExitStack()
    try:
        running = await stack.enter_async_context(engine_of(toolway).run(tasks=works))
    except (Exception, SystemExit) as error:  # the application's startup runs here
        raise start_failure(error) from error
    try:
        yield running
    finally:
        # As under a server, the lifespan does not see the exception that a command may be ending with.
        try:
            await stack.aclose()
        except (Exception, SystemExit) as error:
            raise ShutdownError(f"the application failed to shut down: {told(cause_of(error))}") from error


class ShutdownError(ToolwayError):
    """An exception in the application's shutdown, after the command had finished."""


def start_failure(error: BaseException) -> ToolwayError:
    """Return an error that describes in one line why an application failed to start."""
    cause = cause_of(error)
    if isinstance(cause, ToolwayError):
        return cause
    return ConfigurationError(f"the application failed to start: {told(cause)}")


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function, and unwrap the exception groups of its task groups."""
    try:
        return anyio.run(work)
    except BaseExceptionGroup as group:
        raise cause_of(group) from group


def cause_of(error: BaseException) -> BaseException:
    """Return the first exception in nested exception groups."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
