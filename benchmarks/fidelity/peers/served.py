"""The common part of the servers: the application, and the port that the harness passes."""

from __future__ import annotations

import argparse

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from tests.fidelity.apps import chapters_of, make_app
from tests.fidelity.case import Case, Chapter

__all__ = ["application", "chapters", "credential_headers", "options", "serve"]


def options() -> argparse.Namespace:
    """Return what the harness asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--app", default="main")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--without-killers", action="store_true", help="leave out what stops the peer")
    return parser.parse_args()


def chapters() -> tuple[Chapter, ...]:
    """Return the chapters of the application that is asked for."""
    return tuple(chapters_of(options().app))


def application() -> FastAPI:
    """Make the application that is asked for."""
    return make_app(options().app)


def credential_headers() -> list[str]:
    """Return every header that a caller of the suite has its credentials in, for servers that want them named."""
    cases = (case for chapter in chapters() for case in chapter.cases if isinstance(case, Case))
    return sorted({name.lower() for case in cases for name in case.credentials})


def serve(app: ASGIApp) -> None:
    """Serve on loopback until the harness ends the process."""
    uvicorn.run(app, host="127.0.0.1", port=options().port, log_level="info", access_log=False)
