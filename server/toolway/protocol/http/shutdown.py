"""Noticing the shutdown of the HTTP server when its signal comes.

uvicorn lets every connection finish before it ends the lifespan. An open stream would hold that up, so it has to be
closed as soon as the server has been asked to stop. The server is the owner of the process's signal handler: it is only
looked at, and nothing in the process is changed.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

__all__ = ["watch_for_shutdown"]

_POLL_SECONDS = 0.1
_ANSWER_SECONDS = 0.3
"""How long before uvicorn cancels requests they are answered with an error."""


@contextmanager
def watch_for_shutdown(begin: Callable[[float], None], seconds: float) -> Generator[None]:
    """Call `begin` when the uvicorn server of this process is asked to stop; under other servers, never.

    Args:
        begin: gets the number of seconds that requests may still take.
        seconds: that number, unless uvicorn cancels requests before that.
    """
    server = _find_server()
    if server is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def poll() -> None:
        nonlocal timer
        if _is_stopping(server):
            begin(_limit(server, seconds))
        else:
            timer = loop.call_later(_POLL_SECONDS, poll)

    timer = loop.call_later(_POLL_SECONDS, poll)
    try:
        yield
    finally:
        timer.cancel()


def _find_server() -> Any:
    """Return the uvicorn server that handles this process's signals, or None."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return server if isinstance(getattr(server, "should_exit", None), bool) else None


def _is_stopping(server: Any) -> bool:
    """Return whether uvicorn has received a signal, or accepts no more connections, as after `--limit-max-requests`."""
    listeners: list[asyncio.Server] = getattr(server, "servers", [])
    return server.should_exit or any(not listener.is_serving() for listener in listeners)


def _limit(server: Any, seconds: float) -> float:
    uvicorn_seconds: float | None = getattr(server.config, "timeout_graceful_shutdown", None)
    return seconds if uvicorn_seconds is None else min(seconds, max(0, uvicorn_seconds - _ANSWER_SECONDS))
