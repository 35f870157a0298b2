"""The application that the conformance suite tests; its tools, resources and prompts are those that the suite names.

``TOOLWAY_STATEFUL=true`` gives it sessions on the handshake revisions.
"""

from __future__ import annotations

from fastapi import FastAPI

from tests.conformance.fixtures import arguments, changes, contents, jobs, prompts, questions, resources
from toolway import Toolway

__all__ = ["app", "make_app"]


def make_app() -> FastAPI:
    """Make the application, served at /mcp."""
    made = FastAPI(title="Conformance", description="Everything that the official conformance suite tests.")
    for chapter in (contents, arguments, changes, questions, jobs, resources, prompts):
        made.include_router(chapter.router)
    Toolway(made).mount()
    return made


app = make_app()
