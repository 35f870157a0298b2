"""The command with which a client launches a server."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from toolway.catalog import Catalog

__all__ = ["Launch", "needed_environment", "server_name"]

_LONGEST_NAME = 20
"""Clients prefix tool names with the server name, and limit both together to 60 or 64 characters."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A command that works from any folder."""

    title: str
    """The application's title."""
    command: str
    """An absolute path: a client's own PATH is not the user's."""
    args: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """Environment variables, with placeholders for the user to fill in."""

    @property
    def name(self) -> str:
        """The server's name in the client's configuration."""
        return server_name(self.title)


def needed_environment(catalog: Catalog) -> dict[str, str]:
    """Return environment variables, with placeholders, for the credentials that the catalog's operations declare."""
    declared = [tool.operation.credentials for tool in catalog.tools.values()]
    headers = sorted({name for entry in declared for name in entry.headers} - {"authorization"})
    if any(entry.cookies for entry in declared):
        headers.append("cookie")
    query = sorted({name for entry in declared for name in entry.query})
    found: dict[str, str] = {}
    if any(entry.authorization for entry in declared):
        found["TOOLWAY_AUTHORIZATION"] = "..."
    if headers:
        found["TOOLWAY_LOCAL_HEADERS"] = json.dumps(dict.fromkeys(headers, "..."))
    if query:
        found["TOOLWAY_LOCAL_QUERY"] = json.dumps(dict.fromkeys(query, "..."))
    return found


def server_name(title: str) -> str:
    """Return a short server name for an application: as many words of its title as fit, in ASCII."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii")
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    whole = words[: _LONGEST_NAME + 1].rpartition("-")[0] if len(words) > _LONGEST_NAME else words
    return whole or words[:_LONGEST_NAME] or "toolway"
