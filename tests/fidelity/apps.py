"""The applications of the suite, made of its chapters; any server can stand in front of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from fastapi import FastAPI

from tests.fidelity.application import Application
from tests.fidelity.case import Chapter
from tests.fidelity.chapters import (
    answers,
    bodies,
    collections,
    constraints,
    dependencies,
    failures,
    files,
    formats,
    forms,
    headers,
    models,
    path,
    query,
    raw,
    routing,
    security,
    serialization,
    streams,
    types,
    unions,
    values,
)

with suppress(ImportError):  # older releases of FastAPI take no endpoints that are generators
    from tests.fidelity.chapters import yielding as _continues_streams  # noqa: F401

__all__ = ["APPLICATIONS", "chapters_of", "main", "make_app"]

_SHAPES = (
    query,
    constraints,
    path,
    headers,
    types,
    values,
    formats,
    bodies,
    models,
    serialization,
    unions,
    collections,
    forms,
    files,
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


def make_app(name: str = "main") -> FastAPI:
    """Make one of the suite's applications."""
    return Application(chapters=APPLICATIONS[name]).make()


def chapters_of(name: str) -> Sequence[Chapter]:
    """Return what an application is made of, for whoever plays it in front of another server."""
    return APPLICATIONS[name]


# Factories without arguments, one for each application, as servers ask for them.
main = partial(make_app, "main")
