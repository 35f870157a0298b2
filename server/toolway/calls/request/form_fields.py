"""Form fields of a remote API, encoded as its OpenAPI document declares (Encoding Object)."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from toolway.calls.request.multipart import Part, make_file_part
from toolway.calls.request.parameter_styles import serialize_query, serialize_text_pairs
from toolway.calls.request.value_encoding import encode_json, encode_text, list_values
from toolway.catalog import Argument
from toolway.errors import ArgumentError
from toolway.media_types import JSON, essence, is_json
from toolway.openapi import Serialization

__all__ = ["encode_field", "make_field_parts"]


def encode_field(argument: Argument, rule: Serialization, value: object) -> list[str]:
    """Encode a field of a URL-encoded form as ``name=value`` pairs."""
    name, target = argument.name, argument.target
    if rule.style:
        return [pair for _, pair in serialize_query(rule, name, target, value)]
    if is_json(_first(rule.media_type)) and value is not None:
        texts = [encode_json(name, value).decode()]
    else:
        texts = [_encode_text_or_json(name, entry) for entry in _list_nonempty(name, value)]
    plain = Serialization()
    return [pair for text in texts for _, pair in serialize_query(plain, name, target, text)]


def make_field_parts(argument: Argument, rule: Serialization, value: object) -> list[Part]:
    """Return the parts of a multipart form for a field, one for each item of a list."""
    parts = _make_parts(argument, rule, value)
    return [replace(part, headers=rule.headers) for part in parts] if rule.headers else parts


def _make_parts(argument: Argument, rule: Serialization, value: object) -> list[Part]:
    name, target = argument.name, argument.target
    if argument.is_file:
        return [make_file_part(name, target, entry, rule.media_type) for entry in _list_nonempty(name, value)]
    if rule.style:
        return [Part(key, text.encode()) for key, text in serialize_text_pairs(rule, name, target, value)]
    return [_part(name, target, rule.media_type, entry) for entry in _list_nonempty(name, value)]


def _part(name: str, target: str, media_types: str, value: object) -> Part:
    declared = media_types.partition(",")[0].strip() or None
    if is_json(_first(media_types)) or (declared is None and isinstance(value, dict | list)):
        return Part(target, encode_json(name, cast("object", value)), content_type=declared or JSON)
    return Part(target, _encode_text_or_json(name, value).encode(), content_type=declared)


def _list_nonempty(name: str, value: object) -> list[object]:
    if value == []:
        raise ArgumentError(f"{name!r} must not be empty: a form cannot hold an empty list; leave {name!r} out")
    return list_values(value)


def _encode_text_or_json(name: str, value: object) -> str:
    is_plain = not isinstance(value, dict | list)
    return encode_text(name, value) if is_plain else encode_json(name, cast("object", value)).decode()


def _first(media_types: str) -> str:
    return essence(media_types.partition(",")[0])
