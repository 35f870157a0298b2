"""Messages for the caller's log."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from fastapi import Depends
from starlette.requests import HTTPConnection

from toolway.calls.context import LogCallback
from toolway.calls.scope import context_of

__all__ = ["LEVELS", "Level", "Log", "Logger", "log_dependency"]

Level: TypeAlias = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]

LEVELS: tuple[Level, ...] = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""From the least to the most serious (RFC 5424, section 6.2.1)."""


class Logger:
    """Sends messages to the caller's log, where the caller asked for them; does nothing over plain HTTP."""

    def __init__(self, say: LogCallback | None) -> None:
        self._say = say

    async def __call__(self, message: Any, level: Level = "info", *, logger: str | None = None) -> None:
        """Send a message: text, or any JSON; `logger` names what it is from."""
        if self._say is not None:
            await self._say(level, message, logger)


async def log_dependency(connection: HTTPConnection) -> Logger:
    context = context_of(connection)
    return Logger(context.say if context is not None else None)


Log: TypeAlias = Annotated[Logger, Depends(log_dependency)]
"""A dependency that sends messages to the caller's log: ``async def work(log: Log)``, then ``await log("Begun")``.

The protocol has deprecated this in 2026-07-28; the server's own log and `Progress` are what new code uses.
"""
