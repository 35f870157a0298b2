"""The two servers side by side."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from tests.lanes.application import make_server, started
from tests.lanes.comparison import Outcome, differences
from tests.lanes.exchange import Request, send
from tests.lanes.permitted import Permitted, permission
from toolway.protocol.fast_lane.lane import FastLane

__all__ = ["Pair", "Verdict", "pair"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the two answers to a request compare."""

    differences: tuple[str, ...]
    """A difference that is not permitted."""
    permitted: Permitted | None
    was_fast: bool
    """Whether the fast lane answered by itself."""


class Pair:
    """Two copies of an application; the first has a fast lane."""

    def __init__(self, fast: FastAPI, sdk: FastAPI, answered: list[bool]) -> None:
        self._fast = fast
        self._sdk = sdk
        self._answered = answered

    async def verdict(self, request: Request) -> Verdict:
        """Send a request to both, and compare."""
        self._answered.clear()
        fast, sdk = await _outcome(self._fast, request), await _outcome(self._sdk, request)
        found = tuple(differences(fast, sdk))
        permitted = permission(request, fast, sdk) if found else None
        return Verdict(() if permitted else found, permitted, any(self._answered))


async def _outcome(app: FastAPI, request: Request) -> Outcome:
    seen: list[Any] = app.state.seen
    seen.clear()
    answer = await send(app, request)
    return Outcome(answer, list(seen))


@asynccontextmanager
async def pair(make: Callable[..., FastAPI] = make_server) -> AsyncGenerator[Pair]:
    """Start both, and count what the fast lane answers; `make` takes `fast_lane`."""
    with _counting() as answered, _unlogged():
        async with AsyncExitStack() as stack:
            fast, sdk = [await stack.enter_async_context(started(make(fast_lane=on))) for on in (True, False)]
            yield Pair(fast, sdk, answered)


@contextmanager
def _counting() -> Generator[list[bool]]:
    """Note for each request that comes to a fast lane whether it answers."""
    answered: list[bool] = []
    original = FastLane.handle

    async def handle(*arguments: Any) -> bool:
        answered.append(await original(*arguments))
        return answered[-1]

    setattr(FastLane, "handle", handle)  # noqa: B010 - of another signature, which a type checker would not take
    try:
        yield answered
    finally:
        FastLane.handle = original


@contextmanager
def _unlogged() -> Generator[None]:
    """Leave out the log: failures are part of it, and their tracebacks cost more than all the rest."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
