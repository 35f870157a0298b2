"""The applications of the suite, made of its chapters; any server can stand in front of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI
from fastapi.routing import APIRoute

from tests.fidelity.case import Chapter
from tests.fidelity.chapters import (
    answers,
    bodies,
    constraints,
    dependencies,
    failures,
    forms,
    headers,
    models,
    path,
    query,
    raw,
    routing,
    security,
    streams,
    types,
)
from tests.fidelity.journal import keep_journal

__all__ = ["APPLICATIONS", "main", "make_app"]

_SHAPES = (
    query,
    constraints,
    path,
    headers,
    types,
    bodies,
    models,
    forms,
    raw,
    answers,
    streams,
    failures,
    security,
    dependencies,
    routing,
)

APPLICATIONS: dict[str, Sequence[Chapter]] = {
    "main": tuple(module.chapter for module in _SHAPES),
}


def _plain_id(route: APIRoute) -> str:
    """Operation ids are function names, so that every server names a tool alike."""
    return route.name


def make_app(name: str = "main") -> FastAPI:
    """Make one of the suite's applications."""
    chapters = APPLICATIONS[name]
    app = FastAPI(title="Fidelity", generate_unique_id_function=_plain_id)
    keep_journal(app, [reset for chapter in chapters for reset in chapter.resets])
    for chapter in chapters:
        app.include_router(chapter.router)
        for install in chapter.installs:
            install(app)
    return app


# Factories without arguments, one for each application, as servers ask for them.
main = partial(make_app, "main")
