"""The lifespan of an application, run once even if its own server and another application both start it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, TypeAlias, cast

from fastapi import APIRouter, FastAPI

from toolway.host.app_state import state_of

__all__ = ["Lifespan", "State", "run_within"]

State: TypeAlias = "Mapping[str, Any] | None"
"""The state that a lifespan yields for requests."""

_Enter: TypeAlias = Callable[[State], AbstractAsyncContextManager[object]]
_Run: TypeAlias = Callable[[Any], AbstractAsyncContextManager[State]]


def run_within(router: APIRouter, enter: Callable[[FastAPI, State], AbstractAsyncContextManager[object]]) -> None:
    """Run a context manager inside a router's lifespan: after the router's startup, and before its shutdown.

    Args:
        router: the router of an application, or one that is included in an application.
        enter: receives the application whose lifespan runs, and the state that the lifespan yields.
    """
    inner = cast("_Run", router.lifespan_context)

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncGenerator[State]:
        async with inner(app) as state, enter(app, state):
            yield state

    router.lifespan_context = lifespan  # pyright: ignore[reportAttributeAccessIssue]


class Lifespan:
    """The lifespan of one application, wrapped once."""

    def __init__(self, app: FastAPI) -> None:
        self._run = cast("_Run", app.router.lifespan_context)
        self._entered: list[_Enter] = []
        self._runs = 0
        self._state: State = None
        self._shared: _ContextTask | None = None
        self._users = 0
        app.router.lifespan_context = self._lifespan  # pyright: ignore[reportAttributeAccessIssue]

    @classmethod
    def of(cls, app: FastAPI) -> Lifespan:
        """Return the object that wraps an application's lifespan; the first call wraps it."""
        state = state_of(app)
        if state.lifespan is None:
            state.lifespan = cls(app)
        return state.lifespan

    def run_within(self, enter: _Enter) -> None:
        """Run a context manager after the application's startup and before its shutdown."""
        self._entered.append(enter)

    @asynccontextmanager
    async def joined(self, app: FastAPI) -> AsyncGenerator[State]:
        """Run the application unless its own server does, until the last caller of this method has left."""
        if self._runs and self._shared is None:
            yield self._state
        else:
            async with self._join(app) as state:
                yield state

    @asynccontextmanager
    async def _lifespan(self, app: Any) -> AsyncGenerator[State]:
        if self._runs_in_another_task():
            async with self._join(app) as state:
                yield state
            return
        self._runs += 1
        try:
            async with AsyncExitStack() as stack:
                self._state = state = await stack.enter_async_context(self._run(app))
                for enter in self._entered:
                    await stack.enter_async_context(enter(state))
                yield state
        finally:
            self._runs -= 1
            if not self._runs:
                self._state = None

    def _runs_in_another_task(self) -> bool:
        task = self._shared.task if self._shared is not None else None
        return task is not None and task is not asyncio.current_task() and task.get_loop() is asyncio.get_running_loop()

    @asynccontextmanager
    async def _join(self, app: FastAPI) -> AsyncGenerator[State]:
        shared = self._shared = self._shared or _ContextTask(app.router.lifespan_context(app))
        self._users += 1
        try:
            yield await shared.started()
        finally:
            self._users -= 1
            if not self._users:
                self._shared = None
                await shared.end()


class _ContextTask:
    """An async context manager, held open by its own task: one caller may enter it, and another one leave it."""

    def __init__(self, context: AbstractAsyncContextManager[Any]) -> None:
        self._started: asyncio.Future[State] = asyncio.get_running_loop().create_future()
        self._ended = asyncio.Event()
        self.task = asyncio.create_task(self._hold(context))

    async def started(self) -> State:
        """Wait until the context is entered, and return its value; raise its error if that fails."""
        await asyncio.wait({self._started, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if not self._started.done():
            await self.task
        return self._started.result()

    async def end(self) -> None:
        """Leave the context; raise its error if that fails."""
        self._ended.set()
        if not self._started.done():
            self.task.cancel()
        await asyncio.wait({self.task})
        if self._started.done() and not self.task.cancelled():
            self.task.result()

    async def _hold(self, context: AbstractAsyncContextManager[Any]) -> None:
        async with context as state:
            self._started.set_result(state)
            await self._ended.wait()
