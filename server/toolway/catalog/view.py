"""Views of tool results: HTML documents that clients with the MCP Apps extension show to the user."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass
from pathlib import Path

from toolway.errors import ConfigurationError
from toolway.markers import Marker
from toolway.openapi import Operation

__all__ = ["VIEW_MEDIA_TYPE", "View", "read_view"]

VIEW_MEDIA_TYPE = "text/html;profile=mcp-app"
"""The media type of views (SEP-1865)."""


@dataclass(frozen=True, slots=True)
class View:
    """An HTML document that shows the results of tools."""

    uri: str
    """Contains a hash of the document, because clients cache views by their URI."""
    html: str


def read_view(operation: Operation, marker: Marker) -> View | None:
    """Return the view that a marker names, or None; a relative path is relative to the endpoint's module.

    Raises:
        ConfigurationError: the file cannot be read as UTF-8, or a relative path has no endpoint in this process.
    """
    name: str | None = marker.get("ui")
    if name is None:
        return None
    path = Path(name)
    if not path.is_absolute():
        if operation.endpoint is None:
            raise ConfigurationError(
                f"{operation}: expected an absolute path for ui, found {name!r}: the endpoint runs elsewhere"
            )
        path = Path(inspect.getfile(inspect.unwrap(operation.endpoint))).parent / path
    try:
        html = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(
            f"{operation}: ui={name!r} cannot be read: {error}; expected an HTML file beside the endpoint's module"
        ) from error
    digest = hashlib.sha256(html.encode()).hexdigest()[:12]
    return View(f"ui://{digest}/{path.name}", html)
