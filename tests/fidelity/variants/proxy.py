"""A proxy that serves an application below a prefix, and the chapters that can be played there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.fidelity.case import Case, Chapter

__all__ = ["behind", "movable"]

_ABSOLUTE = {"moved", "see_other"}
"""Tools that redirect to an absolute path, which leads elsewhere once the application stands below a prefix."""
_CUT = "an_operation_whose_name_goes_on"
"""Names too long for clients end in a hash of the operation, whose path a prefix changes."""


def movable(chapters: Iterable[Chapter]) -> list[Chapter]:
    """Return the chapters without the cases that only work at the root of a host."""
    return [replace(chapter, cases=[case for case in chapter.cases if _is_movable(case)]) for chapter in chapters]


def _is_movable(case: object) -> bool:
    return not isinstance(case, Case) or not (case.tool in _ABSOLUTE or case.tool.startswith(_CUT))


def behind(prefix: str) -> Callable[[FastAPI], ASGIApp]:
    """Return what puts an application behind a proxy that takes its prefix off every path."""

    def under(app: FastAPI) -> ASGIApp:
        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "lifespan":
                raw = scope["raw_path"].removeprefix(prefix.encode())
                scope = {**scope, "path": scope["path"].removeprefix(prefix), "raw_path": raw}
            await app(scope, receive, send)

        return proxy

    return under
