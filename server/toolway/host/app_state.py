"""The state that toolway keeps on a FastAPI application: one attribute, ``app.state.toolway``.

It belongs to the application: nothing is shared between two applications of one process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

__all__ = ["AppState", "state_of"]

_ATTRIBUTE = "toolway"


@dataclass(slots=True, eq=False)
class AppState:
    """The state of one application; types of upper packages are `Any` here."""

    engines: list[Any] = field(default_factory=list[Any])
    """The `toolway.engine.Engine` of each Toolway that was made for the application, or is mounted on it."""
    mounted: Any = None
    """The engine of the Toolway that was mounted first."""
    lifespan: Any = None
    """Its `toolway.host.lifespan.Lifespan`."""
    listeners: list[Any] = field(default_factory=list[Any])
    """Where changes that its endpoints report are sent."""
    question_codec: Any = None
    """The `HttpStateCodec` of questions over plain HTTP."""


def state_of(app: FastAPI) -> AppState:
    """Return the state of an application; the first call creates it."""
    state = getattr(app.state, _ATTRIBUTE, None)
    if not isinstance(state, AppState):
        state = AppState()
        setattr(app.state, _ATTRIBUTE, state)
    return state
