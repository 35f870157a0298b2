"""Running of an application for the duration of one command, and description of its exceptions."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar, cast

import anyio

from toolway.app import Toolway, engine_of
from toolway.engine import Running
from toolway.errors import ConfigurationError, ToolwayError

__all__ = ["ShutdownError", "describe_exception", "run_async", "start_app", "startup_error", "unwrap_group"]

T = TypeVar("T")

_STDLIB = sysconfig.get_path("stdlib")
_PACKAGE = str(Path(__file__).parents[1])
_MAX_MESSAGE = 300
"""Characters shown of an exception that the application raised."""


@asynccontextmanager
async def start_app(toolway: Toolway, *, run_tasks: bool = False) -> AsyncGenerator[Running]:
    """Run the application's lifespan around a block.

    Args:
        toolway: the Toolway of the application.
        run_tasks: whether to run waiting tasks.

    Raises:
        ConfigurationError: the application's startup failed.
        ShutdownError: the application's shutdown failed.
    """
    stack = AsyncExitStack()
    try:
        running = await stack.enter_async_context(engine_of(toolway).run(tasks=run_tasks))
    except (Exception, SystemExit) as error:  # the application's startup runs here
        raise startup_error(error) from error
    try:
        yield running
    finally:
        # As under a server, the lifespan does not see the exception that a command may be ending with.
        try:
            await stack.aclose()
        except (Exception, SystemExit) as error:
            raise ShutdownError(
                f"the application failed to shut down: {describe_exception(unwrap_group(error))}"
            ) from error


class ShutdownError(ToolwayError):
    """An exception in the application's shutdown, after the command had finished."""


def startup_error(error: BaseException) -> ToolwayError:
    """Return an error that describes in one line why an application failed to start."""
    cause = unwrap_group(error)
    if isinstance(cause, ToolwayError):
        return cause
    return ConfigurationError(f"the application failed to start: {describe_exception(cause)}")


def run_async(function: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function, and unwrap the exception groups of its task groups."""
    try:
        return anyio.run(function)
    except BaseExceptionGroup as group:
        raise unwrap_group(group) from group


def unwrap_group(error: BaseException) -> BaseException:
    """Return the first exception in nested exception groups."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def describe_exception(error: BaseException) -> str:
    """Describe an exception of the application in one line, with the file and line that raised it."""
    text = " ".join(str(error).split())
    shown = text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}..."
    return ": ".join(filter(None, (type(error).__name__, shown))) + _describe_origin(error)


def _describe_origin(error: BaseException) -> str:
    """Return the innermost file and line of the application, or else of an installed package."""
    if isinstance(error, SyntaxError):  # its message already has the file and line
        return ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_internal(frame.filename)]
    theirs = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f" ({theirs[-1].filename}, line {theirs[-1].lineno})" if theirs else ""


def _is_internal(filename: str) -> bool:
    """Return whether a frame belongs to Python or to toolway rather than to the application."""
    is_python = filename.startswith(_STDLIB) and "site-packages" not in filename
    return "<" in filename or is_python or filename.startswith(_PACKAGE)
