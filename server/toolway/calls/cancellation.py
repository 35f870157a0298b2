"""Work that can be stopped: once, and only where it may be.

Cancelling a task leaves a thread running behind it, while the clean-up already closes what the thread still uses. A
cancel scope waits for threads and whatever else is shielded, but then strikes again at every await, also those of the
clean-up, which in turn never ends: a generator dependency that is no coroutine is not even entered again. What is
needed here is the one blow of the first with the patience of the second.

The two scopes that this takes have to be there before the work begins, and cost a tenth of a short call. So work that
is expected not to wait for anything does without. Where it waits all the same, its task is cancelled, once: what hands
its work to a thread waits for it in every call, so it is hardly one of those.
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
    """The class behind `anyio.CancelScope`, which looks for it anew each time."""
    return type(anyio.CancelScope())


def ends_task(error: BaseException) -> bool:
    """Return whether an exception cancels or closes the running task, and is not just raised by the code in it.

    `SystemExit`, `KeyboardInterrupt`, and the `CancelledError` of something that the code awaits are errors of the
    code: an HTTP server survives them.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return isinstance(error, GeneratorExit)


class CancellableWork:
    """A coroutine, run to its end in whatever task awaits `run`.

    Args:
        coroutine: the work.
        on_wait: called when it has to wait for the first time, if it ever has to.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None], on_wait: Callable[[], None]) -> None:
        self._coroutine = coroutine
        self._on_wait: Callable[[], None] | None = on_wait
        self._stopping: anyio.CancelScope | None = None
        self._stopped: anyio.CancelScope | None = None
        self._waiting: asyncio.Task[Any] | None = None
        """The task that waits without scopes around it."""
        self._is_unwanted = False
        self._was_canceled = False

    def stop(self) -> None:
        """Cancel the work at the first await that is not shielded; its clean-up runs undisturbed."""
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
        """Run work that may be stopped."""
        scope = _scope_class()
        self._stopping, self._stopped = scope(), scope()
        with self._stopping, self._stopped:
            await self

    async def run_at_once(self) -> None:
        """Run work that is not expected to wait."""
        try:
            await self
            if self._was_canceled:  # and was done before the blow fell, which it does at the next await
                await anyio.lowlevel.checkpoint()
        except asyncio.CancelledError:
            if not self._was_canceled:
                raise
        if self._was_canceled and self._waiting is not None:
            self._waiting.uncancel()

    def __await__(self) -> Generator[Any]:
        on_wait = self._on_wait
        self._on_wait = None  # it leads back here, and rings wait for the collector
        try:
            waited = self._coroutine.send(None)
        except StopIteration:
            return
        if on_wait is not None:
            on_wait()
        if self._stopping is None:
            self._waiting = asyncio.current_task()
            self._cancel_once()
        yield from self._driven(waited)

    def _driven(self, waited: object) -> Generator[Any]:
        """Drive the coroutine, and shield it once the blow has fallen; its own time-outs are none."""
        while True:
            error: BaseException | None = None
            try:
                yield waited
            except BaseException as raised:  # noqa: BLE001 - whatever it is, it is meant for the coroutine
                self._shield_after(raised)
                error = raised
            try:
                waited = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
            except StopIteration:
                return

    def _shield_after(self, raised: BaseException) -> None:
        if self.is_stopped and self._stopped is not None and isinstance(raised, asyncio.CancelledError):
            self._stopped.shield = True
