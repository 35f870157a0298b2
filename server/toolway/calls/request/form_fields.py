"""Fields of a remote API's forms, as its OpenAPI document says (Encoding Object)."""

from __future__ import annotations

from typing import cast

from toolway.calls.request.multipart import Part, file_part
from toolway.calls.request.parameter_styles import query_pairs, text_pairs
from toolway.calls.request.value_encoding import entries, json_bytes, plain_text
from toolway.catalog import Argument
from toolway.errors import ArgumentError
from toolway.openapi import Serialization

__all__ = ["field_parts", "field_texts"]

_JSON = "application/json"


def field_texts(argument: Argument, rule: Serialization, value: object) -> list[str]:
    """Return a field of a URL-encoded form as ``name=value`` pairs."""
    name, target = argument.name, argument.target
    if rule.style:
        return [pair for _, pair in query_pairs(rule, name, target, value)]
    if _is_json(rule.media_type) and value is not None:
        texts = [json_bytes(name, value).decode()]
    else:
        texts = [_text(name, entry) for entry in _filled(name, value)]
    plain = Serialization()
    return [pair for text in texts for _, pair in query_pairs(plain, name, target, text)]


def field_parts(argument: Argument, rule: Serialization, value: object) -> list[Part]:
    """Return a field of a multipart form as its parts, one for each item of a list."""
    name, target = argument.name, argument.target
    if argument.is_file:
        return [file_part(name, target, entry, rule.media_type) for entry in _filled(name, value)]
    if rule.style:
        return [Part(key, text.encode()) for key, text in text_pairs(rule, name, target, value)]
    return [_part(name, target, rule.media_type, entry) for entry in _filled(name, value)]


def _part(name: str, target: str, media_types: str, value: object) -> Part:
    declared = media_types.partition(",")[0].strip() or None
    if _is_json(media_types) or (declared is None and isinstance(value, dict | list)):
        return Part(target, json_bytes(name, cast("object", value)), content_type=declared or _JSON)
    return Part(target, _text(name, value).encode(), content_type=declared)


def _filled(name: str, value: object) -> list[object]:
    if value == []:
        raise ArgumentError(f"{name!r} must not be empty: a form cannot hold an empty list; leave {name!r} out")
    return entries(value)


def _text(name: str, value: object) -> str:
    is_plain = not isinstance(value, dict | list)
    return plain_text(name, value) if is_plain else json_bytes(name, cast("object", value)).decode()


def _is_json(media_types: str) -> bool:
    first = media_types.partition(",")[0].partition(";")[0].strip().lower()
    return first == _JSON or first.endswith("+json")
