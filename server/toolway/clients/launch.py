"""How a client starts a server of ours."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

__all__ = ["Launch", "server_name"]

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
        """The server's name in the client's configuration."""
        return server_name(self.title)


def server_name(title: str) -> str:
    """A short name for the server of an application: as many words of its title as fit, in ASCII."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii")
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    whole = words[: _LONGEST_NAME + 1].rpartition("-")[0] if len(words) > _LONGEST_NAME else words
    return whole or words[:_LONGEST_NAME] or "toolway"
