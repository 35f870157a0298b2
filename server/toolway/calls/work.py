"""Work that can be stopped: once, and only where it may be.

Cancelling a task leaves a thread running behind it, while the clean-up already closes what the thread still uses. A
cancel scope waits for threads and whatever else is shielded, but then strikes again at every await, also those of the
clean-up, which in turn never ends: a generator dependency that is no coroutine is not even entered again. What is
needed here is the one blow of the first with the patience of the second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any

import anyio

__all__ = ["Work"]


class Work:
    """Runs a coroutine in a task of its own."""

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine
        self._stopping = anyio.CancelScope()
        self._stopped = anyio.CancelScope()
        self.task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Cancel the work at the first await that is not shielded; its clean-up runs undisturbed."""
        self._stopping.cancel()

    async def _run(self) -> None:
        with self._stopping, self._stopped:
            await self

    def __await__(self) -> Generator[Any]:
        """Drive the coroutine, and shield it once the blow has fallen; its own time-outs are none."""
        error: BaseException | None = None
        while True:
            try:
                waited = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
            except StopIteration:
                return
            try:
                yield waited
                error = None
            except BaseException as raised:  # noqa: BLE001 - whatever it is, it is meant for the coroutine
                if isinstance(raised, asyncio.CancelledError) and self._stopping.cancel_called:
                    self._stopped.shield = True
                error = raised
