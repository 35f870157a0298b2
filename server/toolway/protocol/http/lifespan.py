"""An application's lifespan, run once although several may run it: its own server, and that of another application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any, ClassVar, TypeAlias, cast
from weakref import WeakKeyDictionary, ref

from fastapi import APIRouter, FastAPI

__all__ = ["Lifespan", "State", "run_within"]

State: TypeAlias = "Mapping[str, Any] | None"
"""What a lifespan hands to requests."""

_Enter: TypeAlias = Callable[[State], AbstractAsyncContextManager[object]]
_Around: TypeAlias = Callable[[FastAPI], AbstractContextManager[object]]
_Run: TypeAlias = Callable[[Any], AbstractAsyncContextManager[State]]


def run_within(router: APIRouter, enter: _Enter, around: _Around = lambda _: nullcontext()) -> None:
    """Run something inside a router's lifespan: the router's startup comes first, and its shutdown last.

    Args:
        router: of an application, or included in one.
        enter: what to run.
        around: what to run besides; it gets the application whose lifespan this is.
    """
    inner = cast("_Run", router.lifespan_context)

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncGenerator[State]:
        async with inner(app) as state, enter(state):
            with around(app):
                yield state

    router.lifespan_context = lifespan  # pyright: ignore[reportAttributeAccessIssue]


class Lifespan:
    """The lifespan of one application."""

    _known: ClassVar[WeakKeyDictionary[FastAPI, Lifespan]] = WeakKeyDictionary()

    def __init__(self, app: FastAPI) -> None:
        self._app_of = ref(app)  # an application would keep itself otherwise, by what is known of it
        self._own = 0
        self._state: State = None
        self._is_watched = False
        self._kept: _Kept | None = None
        self._users = 0

    @property
    def _app(self) -> FastAPI:
        return cast("FastAPI", self._app_of())

    @classmethod
    def of(cls, app: FastAPI) -> Lifespan:
        """Return the one object that stands for an application's lifespan."""
        return cls._known.setdefault(app, cls(app))

    def watch(self) -> None:
        """Notice when its own server runs the application, so that nobody who joins runs it again."""
        if not self._is_watched:
            self.run_within(lambda _: nullcontext())

    def run_within(self, enter: _Enter) -> None:
        """Run something inside, whoever runs it."""
        self._is_watched = True
        run_within(self._app.router, lambda state: self._noted(state, enter))
        inner = cast("_Run", self._app.router.lifespan_context)

        @asynccontextmanager
        async def lifespan(app: Any) -> AsyncGenerator[State]:
            async with self._shared() if self._is_kept_elsewhere() else self._counted(inner(app)) as state:
                yield state

        self._app.router.lifespan_context = lifespan  # pyright: ignore[reportAttributeAccessIssue]

    @asynccontextmanager
    async def joined(self) -> AsyncGenerator[State]:
        """See to it that the application runs, unless its own server does; until the last who joined has left."""
        if self._own and self._kept is None:
            yield self._state
        else:
            async with self._shared() as state:
                yield state

    @asynccontextmanager
    async def _noted(self, state: State, enter: _Enter) -> AsyncGenerator[None]:
        self._state = state
        async with enter(state):
            yield

    @asynccontextmanager
    async def _counted(self, run: AbstractAsyncContextManager[State]) -> AsyncGenerator[State]:
        self._own += 1
        try:
            async with run as state:
                yield state
        finally:
            self._own -= 1
            if not self._own:
                self._state = None

    def _is_kept_elsewhere(self) -> bool:
        task = self._kept.task if self._kept is not None else None
        return task is not None and task is not asyncio.current_task() and task.get_loop() is asyncio.get_running_loop()

    @asynccontextmanager
    async def _shared(self) -> AsyncGenerator[State]:
        kept = self._kept = self._kept or _Kept(self._app.router.lifespan_context(self._app))
        self._users += 1
        try:
            yield await kept.started()
        finally:
            self._users -= 1
            if not self._users:
                self._kept = None
                await kept.end()


class _Kept:
    """A context that is kept open in a task of its own: who enters it need not be who leaves it."""

    def __init__(self, context: AbstractAsyncContextManager[Any]) -> None:
        self._started: asyncio.Future[State] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self.task = asyncio.create_task(self._keep(context))

    async def started(self) -> State:
        """Wait for the start, and raise what went wrong with it."""
        await asyncio.wait({self._started, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if not self._started.done():
            await self.task
        return self._started.result()

    async def end(self) -> None:
        """Leave the context, and raise what went wrong with that."""
        self._over.set()
        if not self._started.done():
            self.task.cancel()
        await asyncio.wait({self.task})
        if self._started.done() and not self.task.cancelled():
            self.task.result()

    async def _keep(self, context: AbstractAsyncContextManager[Any]) -> None:
        async with context as state:
            self._started.set_result(state)
            await self._over.wait()
