"""How an OpenAPI document says that values are written: `style`, `explode`, `allowReserved`, and media types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolway.errors import DocumentError
from toolway.operations.model import Serialization

__all__ = ["parameter_serialization"]

_STYLES = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
"""The styles that OpenAPI 3.0 and 3.1 define for a location; the first one is the default."""


def parameter_serialization(entry: Mapping[str, Any]) -> Serialization:
    """Read how the value of a parameter is written.

    Raises:
        DocumentError: OpenAPI does not define this style for the parameter's location, or values cannot be written in
            its media type.
    """
    name, location = entry["name"], entry["in"]
    content: Mapping[str, Any] = entry.get("content") or {}
    if content:
        return Serialization(_STYLES[location][0], media_type=_media_type(name, next(iter(content))))
    style = entry.get("style", _STYLES[location][0])
    if style not in _STYLES[location]:
        raise DocumentError(f"OpenAPI does not define the style {style!r} of {name!r} for {location} parameters")
    return Serialization(
        style=style,
        explode=bool(entry.get("explode", style == "form")),
        allow_reserved=entry.get("allowReserved") is True,
    )


def _media_type(name: str, media_type: str) -> str:
    kind = media_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return "application/json"
    if kind.startswith("text/"):
        return kind
    raise DocumentError(f"the parameter {name!r} has values in {media_type!r}, which cannot be written")
