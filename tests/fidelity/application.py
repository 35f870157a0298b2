"""A whole application of the suite: its chapters, and how it is put together and served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from tests.fidelity.case import Chapter
from tests.fidelity.journal import keep_journal

__all__ = ["Application"]


def _plain_id(route: APIRoute) -> str:
    """Operation ids are function names, so that every server names a tool alike."""
    return route.name


def _as_it_is(app: FastAPI) -> FastAPI:
    return app


@dataclass(frozen=True, kw_only=True)
class Application:
    """One application; only what differs from the ordinary is given."""

    chapters: Sequence[Chapter]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What FastAPI is told besides the title."""
    steps: Sequence[Callable[[FastAPI], None]] = ()
    """What is done to it when it has its routers, such as adding middleware: the last is the outermost."""
    within: Callable[[FastAPI], FastAPI] = _as_it_is
    """Puts it into another application, which then is the one that has the tools."""
    under: Callable[[FastAPI], ASGIApp] = _as_it_is
    """Puts the application with the tools under a parent, which is what the web server gets."""
    base: str = ""
    """What stands before the paths of the plain requests."""
    mcp: str = "/mcp"
    server: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the web server is told."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What toolway is told."""
    transports: Sequence[str] = ("HTTP",)
    """The ways to call that are played."""

    def make(self, *, records: bool = True) -> FastAPI:
        """Make the application that has the tools; what `records` its requests is middleware."""
        app = FastAPI(**{"title": "Fidelity", "generate_unique_id_function": _plain_id, **self.options})
        keep_journal(app, [reset for chapter in self.chapters for reset in chapter.resets], records=records)
        for chapter in self.chapters:
            app.include_router(chapter.router)
            for install in chapter.installs:
                install(app)
        for step in self.steps:
            step(app)
        outer = self.within(app)
        outer.state.running = app.state.running
        return outer
