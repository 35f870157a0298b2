"""How an OpenAPI document says that values and bodies are written: styles, encodings, and media types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from toolway.errors import DocumentError
from toolway.openapi.model import Serialization

__all__ = ["choose_media_type", "read_field_serialization", "read_parameter_serialization", "resolve_media_range"]

_STYLES = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
"""The styles that OpenAPI 3.0 and 3.1 define for a location; the first one is the default."""


def read_parameter_serialization(entry: Mapping[str, Any]) -> Serialization:
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
    kind = _name(media_type)
    if kind == "application/json" or kind.endswith("+json"):
        return "application/json"
    if kind.startswith("text/"):
        return kind
    raise DocumentError(f"the parameter {name!r} has values in {media_type!r}, which cannot be written")


def read_field_serialization(name: str, entry: Mapping[str, Any]) -> Serialization:
    """Read how a field of a form is written (Encoding Object); a style takes precedence over a content type.

    Raises:
        DocumentError: OpenAPI does not define this style for fields of forms.
    """
    if not entry.keys() & {"style", "explode", "allowReserved"}:
        return Serialization(style="", media_type=str(entry.get("contentType") or ""))
    style = entry.get("style", "form")
    if style not in _STYLES["query"]:
        raise DocumentError(f"OpenAPI does not define the style {style!r} of {name!r} for fields of forms")
    return Serialization(style, bool(entry.get("explode", style == "form")), entry.get("allowReserved") is True)


def choose_media_type(media_types: Iterable[str]) -> str:
    """Choose the media type in which a body is sent: JSON, then a form, then text; of equals the first."""
    return min(media_types, key=_preference)


def _preference(media_type: str) -> int:
    name = _name(media_type)
    order = (
        name == "application/json",
        name.endswith("+json") and "*" not in name,
        name == "text/json",
        name in {"application/*+json", "application/*", "*/*"},
        name == "multipart/form-data",
        name == "application/x-www-form-urlencoded",
        name.startswith("text/"),
    )
    return order.index(True) if True in order else len(order)


def resolve_media_range(media_type: str, schema: Mapping[str, Any]) -> str:
    """Return the media type that a range such as ``*/*`` stands for, for a body of this (dereferenced) schema.

    Ranges of pictures, audio and the like stay, because the caller knows which one is sent.
    """
    name = _name(media_type)
    if "*" not in name:
        return media_type
    is_text = schema.get("type") == "string"
    is_binary = is_text and schema.get("format") == "binary"
    if name in {"*/*", "application/*", "application/*+json"}:
        if is_binary:
            return "application/octet-stream"
        return "text/plain" if is_text and name == "*/*" else "application/json"
    return {"text/*": "text/plain", "multipart/*": "multipart/form-data"}.get(name, media_type)


def _name(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
