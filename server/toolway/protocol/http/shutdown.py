"""Detection of the HTTP server's shutdown as soon as it receives a signal.

uvicorn lets every connection finish before it ends the lifespan. An open stream would delay that, so it has to be
closed as soon as the shutdown begins. The server is found through the process's signal handler, which belongs to it;
nothing in the process is changed.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

__all__ = ["watch_for_shutdown"]

_POLL_SECONDS = 0.1
_MARGIN_SECONDS = 0.3
"""The time before uvicorn cancels requests at which they get an error as their response."""


@contextmanager
def watch_for_shutdown(begin: Callable[[float], None], seconds: float) -> Generator[None]:
    """Call `begin` when the uvicorn server of this process begins to shut down; other servers are not detected.

    Args:
        begin: receives the number of seconds in which requests have to finish.
        seconds: this number, unless uvicorn cancels requests earlier.
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
    return seconds if uvicorn_seconds is None else min(seconds, max(0, uvicorn_seconds - _MARGIN_SECONDS))
