"""Serialization of parameters and bodies as an OpenAPI document declares it: styles, encodings and media types."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from toolway.errors import DocumentError
from toolway.media_types import JSON, essence, is_json
from toolway.openapi.operation import Serialization
from toolway.openapi.references import resolve_references

__all__ = [
    "choose_media_type",
    "read_field_serialization",
    "read_parameter_serialization",
    "read_part_headers",
    "resolve_media_range",
]

_HEADER_LINE = re.compile(r"[\w!#$%&'*+.^`|~-]+: [\x20-\x7e]*", re.ASCII)

_STYLES = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
"""The styles that OpenAPI 3.0 and 3.1 define for a location, the default first."""


def read_parameter_serialization(entry: Mapping[str, Any]) -> Serialization:
    """Return the serialization of a parameter (Parameter Object).

    Raises:
        DocumentError: OpenAPI does not define this style for the parameter's location, or its media type is not
            supported.
    """
    name, location = entry["name"], entry["in"]
    content: Mapping[str, Any] = entry.get("content") or {}
    if content:
        return Serialization(_STYLES[location][0], media_type=_choose_parameter_media_type(name, next(iter(content))))
    style = entry.get("style", _STYLES[location][0])
    if style not in _STYLES[location]:
        raise DocumentError(f"OpenAPI does not define the style {style!r} of {name!r} for {location} parameters")
    return Serialization(
        style=style,
        explode=bool(entry.get("explode", style == "form")),
        allow_reserved=entry.get("allowReserved") is True,
    )


def _choose_parameter_media_type(name: str, media_type: str) -> str:
    kind = essence(media_type)
    if is_json(kind):
        return JSON
    if kind.startswith("text/"):
        return kind
    raise DocumentError(f"the parameter {name!r} has the media type {media_type!r}, which toolway does not support")


def read_field_serialization(name: str, entry: Mapping[str, Any]) -> Serialization:
    """Return the serialization of a form field (Encoding Object); a style takes precedence over a content type.

    Raises:
        DocumentError: OpenAPI does not define this style for form fields.
    """
    if not entry.keys() & {"style", "explode", "allowReserved"}:
        return Serialization(style="", media_type=str(entry.get("contentType") or ""))
    style = entry.get("style", "form")
    if style not in _STYLES["query"]:
        raise DocumentError(f"OpenAPI does not define the style {style!r} of {name!r} for form fields")
    return Serialization(style, bool(entry.get("explode", style == "form")), entry.get("allowReserved") is True)


def read_part_headers(document: Mapping[str, Any], field: str, entry: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the headers of a multipart field (Encoding Object) that have a fixed value or a default.

    Raises:
        DocumentError: a header is required, but the document has no value for it.
    """
    return tuple(_iter_part_headers(document, field, entry.get("headers") or {}))


def _iter_part_headers(
    document: Mapping[str, Any], field: str, headers: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    for name, raw in headers.items():
        header = resolve_references(document, raw)
        value = _fixed_value(resolve_references(document, header.get("schema") or {}))
        text = value if isinstance(value, str) else json.dumps(value)
        if name.lower() == "content-type":
            continue  # OpenAPI ignores it here: the encoding has a field of its own for it
        if value is not None and _HEADER_LINE.fullmatch(f"{name}: {text}"):
            yield name, text
        elif header.get("required") is True:
            raise DocumentError(
                f"its form field {field!r} requires the header {name!r}, for which the document has no valid value"
            )


def _fixed_value(schema: Mapping[str, Any]) -> str | float | bool | None:
    """Return the only value of a schema, or its default; None if it has neither, or one that is not a scalar."""
    choices: list[Any] = schema.get("enum") or []
    value = schema.get("const", choices[0] if len(choices) == 1 else schema.get("default"))
    return value if isinstance(value, str | int | float) else None


def choose_media_type(media_types: Iterable[str]) -> str:
    """Return the media type in which to send a body: JSON, then a form, then text; the first of equals."""
    return min(media_types, key=_rank_media_type)


def _rank_media_type(media_type: str) -> int:
    name = essence(media_type)
    order = (
        name == JSON,
        name.endswith("+json") and "*" not in name,
        name == "text/json",
        name in {"application/*+json", "application/*", "*/*"},
        name == "multipart/form-data",
        name == "application/x-www-form-urlencoded",
        name.startswith("text/"),
    )
    return order.index(True) if True in order else len(order)


def resolve_media_range(media_type: str, schema: Mapping[str, Any]) -> str:
    """Return the media type to send for a range such as ``*/*``, given the dereferenced schema of the body.

    Ranges such as ``image/*`` are returned unchanged, because the caller decides which type to send.
    """
    name = essence(media_type)
    if "*" not in name:
        return media_type
    is_text = schema.get("type") == "string"
    is_binary = is_text and schema.get("format") == "binary"
    if name in {"*/*", "application/*", "application/*+json"}:
        if is_binary:
            return "application/octet-stream"
        return "text/plain" if is_text and name == "*/*" else "application/json"
    return {"text/*": "text/plain", "multipart/*": "multipart/form-data"}.get(name, media_type)
