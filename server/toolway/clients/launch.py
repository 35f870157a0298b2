"""How a client starts a server of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Launch"]

_LONGEST_NAME = 20
"""Clients put a server's name before every tool's name, and limit the two together to 60 or 64 characters."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A command that works from any folder."""

    title: str
    """The application's title."""
    command: str
    """An absolute path: a client's own PATH is not the user's."""
    args: tuple[str, ...]

    @property
    def name(self) -> str:
        """A short name for the server."""
        words = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
        return words[:_LONGEST_NAME].strip("-") or "toolway"
