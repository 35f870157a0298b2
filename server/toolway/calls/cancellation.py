"""Work that can be canceled exactly once, and that waits for threads and other shielded parts.

Canceling a task leaves a thread running, while the cleanup already closes what the thread still uses. A cancel scope
waits for shielded parts, such as threads, but then cancels again at every await, including those of the cleanup. A
generator dependency in a thread would never be closed. This combines both: cancel exactly once, but wait for shielded
parts.

The two cancel scopes have to be entered before the work begins, and take a tenth of the time of a short call. Work that
is not expected to wait for anything therefore runs without them. If it waits after all, its task is canceled once. Work
that uses a thread waits for it in every call, so it rarely runs without the scopes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from functools import cache
from typing import Any

import anyio
import anyio.lowlevel

__all__ = ["CancellableWork", "ends_task"]


@cache
def _scope_class() -> type[anyio.CancelScope]:
    """Return the class that `anyio.CancelScope` looks up at each call."""
    return type(anyio.CancelScope())


def ends_task(error: BaseException) -> bool:
    """Return whether an exception cancels or closes the running task, and was not raised by the application's code.

    `SystemExit`, `KeyboardInterrupt`, and the `CancelledError` of a future that the code awaits are errors of the code,
    which do not end an HTTP server.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return isinstance(error, GeneratorExit)


class CancellableWork:
    """A coroutine that runs in the task that awaits `run`, and can be canceled once.

    Args:
        coroutine: the work.
        on_wait: called when the work waits for the first time.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None], on_wait: Callable[[], None]) -> None:
        self._coroutine = coroutine
        self._on_wait: Callable[[], None] | None = on_wait
        self._stopping: anyio.CancelScope | None = None
        self._stopped: anyio.CancelScope | None = None
        self._waiting: asyncio.Task[Any] | None = None
        """The task that runs the work, if it waits without cancel scopes."""
        self._is_unwanted = False
        self._was_canceled = False

    def stop(self) -> None:
        """Cancel the work at the first await that is not shielded; its cleanup is not canceled."""
        if self._stopping is not None:
            self._stopping.cancel()
        else:
            self._is_unwanted = True
            self._cancel_once()

    def _cancel_once(self) -> None:
        if self._is_unwanted and self._waiting is not None and not self._was_canceled:
            self._was_canceled = self._waiting.cancel()

    @property
    def is_stopped(self) -> bool:
        return self._is_unwanted or (self._stopping is not None and self._stopping.cancel_called)

    async def run(self) -> None:
        """Run work that may wait."""
        scope = _scope_class()
        self._stopping, self._stopped = scope(), scope()
        with self._stopping, self._stopped:
            await self

    async def run_at_once(self) -> None:
        """Run work that is not expected to wait."""
        try:
            await self
            if self._was_canceled:  # the work ended first, so the cancellation is raised at the next await
                await anyio.lowlevel.checkpoint()
        except asyncio.CancelledError:
            if not self._was_canceled:
                raise
        if self._was_canceled and self._waiting is not None:
            self._waiting.uncancel()

    def __await__(self) -> Generator[Any]:
        on_wait = self._on_wait
        self._on_wait = None  # it refers to this object, and reference cycles have to wait for the garbage collector
        try:
            waited = self._coroutine.send(None)
        except StopIteration:
            return
        if on_wait is not None:
            on_wait()
        if self._stopping is None:
            self._waiting = asyncio.current_task()
            self._cancel_once()
        yield from self._drive(waited)

    def _drive(self, waited: object) -> Generator[Any]:
        """Run the coroutine, and shield it once it has been canceled from outside; its own timeouts do not count."""
        while True:
            error: BaseException | None = None
            try:
                yield waited
            except BaseException as raised:  # noqa: BLE001 - passed to the coroutine
                self._shield_after(raised)
                error = raised
            try:
                waited = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
            except StopIteration:
                return

    def _shield_after(self, raised: BaseException) -> None:
        if self.is_stopped and self._stopped is not None and isinstance(raised, asyncio.CancelledError):
            self._stopped.shield = True
