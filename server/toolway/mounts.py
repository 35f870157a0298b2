"""Which Toolways an application has: those that were made for it, and those that are mounted on it.

The application keeps them itself: none is lost because nobody else holds it, and all go with the application.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI

from toolway.errors import ConfigurationError
from toolway.openapi import find_path, has_path

if TYPE_CHECKING:
    from toolway.app import Toolway

__all__ = ["Place", "check_path", "mounted_on", "places_on", "remember", "toolways_of", "warn_if_late"]

logger = logging.getLogger("toolway")

_UNMOUNTED = 2
"""So many that nobody has mounted are kept: two are enough to know that it takes a choice."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a Toolway is mounted."""

    toolway: Toolway
    site: FastAPI
    """The application that serves MCP over HTTP; for a router, the one whose endpoints are called."""
    written: str
    """The path, with a router's own prefix."""
    endpoint: object | None = None
    """Of the route on a router, by which it is found where the router is included; None on an application."""
    is_guarded: bool = False
    """Whether dependencies may guard the path: its own, or those of another application or router."""

    @property
    def path(self) -> str:
        """The path, with the prefixes of routers as far as they are known."""
        return self._found or self.written

    @property
    def is_reached(self) -> bool:
        """Whether the site has it: a router may be included elsewhere, or nowhere."""
        return self._found is not None

    @property
    def _found(self) -> str | None:
        return self.written if self.endpoint is None else find_path(self.site, self.endpoint)


def remember(app: FastAPI, toolway: Toolway) -> None:
    """Let an application know of a Toolway that is made for it, or mounted on it."""
    known = app.state.toolways = [*toolways_of(app)]
    unmounted = sum(not entry.places for entry in known)
    if toolway not in known and (toolway.places or unmounted < _UNMOUNTED):
        known.append(toolway)


def toolways_of(app: FastAPI) -> Sequence[Toolway]:
    """The Toolways that an application knows of, in the order in which it came to know them."""
    return getattr(app.state, "toolways", ())


def mounted_on(app: FastAPI) -> Toolway | None:
    """The Toolway that was mounted first on an application, or serves it from elsewhere, if any."""
    return getattr(app.state, "toolway", None)


def places_on(site: FastAPI) -> Iterator[Place]:
    """Where an application serves MCP."""
    places = (place for toolway in toolways_of(site) for place in toolway.places)
    return (place for place in places if place.site is site and place.is_reached)


def check_path(path: str, target: FastAPI | APIRouter) -> None:
    """Make sure that MCP can stand at a path.

    Raises:
        ConfigurationError: the path is not absolute, or something stands there already.
    """
    if not path.startswith("/") or path.endswith("/"):
        raise ConfigurationError(f"expected an absolute path without a slash at its end, such as '/mcp', got {path!r}")
    whole = path if isinstance(target, FastAPI) else target.prefix + path
    if has_path(target, whole):
        raise ConfigurationError(f"something stands at {whole!r} already; mount toolway at another path")


def warn_if_late(path: str, target: FastAPI | APIRouter) -> None:
    """Say that an application which runs already will not start what is mounted on it now."""
    if isinstance(target, FastAPI) and target.middleware_stack is not None:  # made with the first call, the start's
        logger.warning(
            "%r has been called before MCP is mounted at %r: it is served after the next start; mount it before",
            target.title,
            path,
        )
