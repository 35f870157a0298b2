"""Serialization of parameters for a remote API: the styles of OpenAPI 3.0 and 3.1, with and without `explode`.

A value is sent so that the API can read it back exactly, or it is rejected. In a list such as ``a,b`` no item may
contain the delimiter, not even percent-encoded: many servers decode a list before they split it.

Every function raises `ArgumentError`, which names the argument, for a value that its style cannot express.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias, cast
from urllib.parse import quote

from toolway.calls.request.value_encoding import encode_header, encode_json, encode_text
from toolway.errors import ArgumentError
from toolway.openapi import Serialization

__all__ = [
    "EncodedPath",
    "serialize_cookie",
    "serialize_header",
    "serialize_path",
    "serialize_query",
    "serialize_text_pairs",
]

_Content: TypeAlias = str | list[str] | dict[str, str]
"""A value as text: a scalar, the items of a list, or the members of an object."""
_Write: TypeAlias = Callable[[str], str]

_QUERY_DELIMITERS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
"""The delimiter between the items of a list that is sent as one value."""
_RESERVED_IN_QUERY = ":/?@!$'()*,;"  # RFC 3986, without the characters that delimit a query's pairs and their names
# RFC 6265, section 4.1.1, without the percent sign, because only some servers decode cookies.
_COOKIE_VALUE = re.compile(r"[!#$&-+\--:<-\[\]-~]*")


class EncodedPath(NamedTuple):
    """A path parameter as text, and percent-encoded."""

    text: str
    encoded: str


def serialize_path(rule: Serialization, name: str, target: str, value: object) -> EncodedPath:
    """Serialize a path parameter in the style ``simple``, ``label`` or ``matrix``."""
    content = _encode_content(rule, name, value)

    def written(write: _Write) -> str:
        if rule.style == "matrix":
            return _join_matrix(rule, name, target, content, write)
        if rule.style == "label":
            return "." + _join(name, content, write, "." if rule.explode else ",", explode=rule.explode)
        return _join(name, content, write, ",", explode=rule.explode)

    return EncodedPath(written(str), written(_quoted))


def serialize_query(rule: Serialization, name: str, target: str, value: object) -> list[tuple[str, str]]:
    """Serialize a query parameter or form field as pairs of its name and ``name=value``, percent-encoded."""
    safe = _RESERVED_IN_QUERY if rule.allow_reserved else ""

    def write(text: str) -> str:
        return quote(text, safe=safe)

    return [(key, f"{_quoted(key)}={text}") for key, text in _named_values(rule, name, target, value, write)]


def serialize_text_pairs(rule: Serialization, name: str, target: str, value: object) -> list[tuple[str, str]]:
    """Serialize a field of a multipart form as the names and values of its parts."""
    return _named_values(rule, name, target, value, str)


def _named_values(rule: Serialization, name: str, target: str, value: object, write: _Write) -> list[tuple[str, str]]:
    if value is None:
        return []
    if rule.style == "deepObject":
        return [(key, write(text)) for key, text in _flatten_deep_object(name, target, value)]
    content = _encode_content(rule, name, value)
    if isinstance(content, str):
        pairs = [(target, content)]
    elif rule.explode:
        pairs = list(content.items()) if isinstance(content, dict) else [(target, item) for item in content]
    else:
        delimiter = _QUERY_DELIMITERS[rule.style]
        sent = delimiter if delimiter == "," or write is str else _quoted(delimiter)
        return [(target, sent.join(write(item) for item in _check_delimiters(name, _flatten(content), delimiter)))]
    return [(key, write(text)) for key, text in pairs]


def serialize_header(rule: Serialization, name: str, value: object) -> bytes:
    """Serialize a header; a list or an object becomes one comma-separated line."""

    def checked(text: str) -> str:
        return encode_header(name, text).decode("latin-1")

    return _join(name, _encode_content(rule, name, value), checked, ",", explode=rule.explode).encode("latin-1")


def serialize_cookie(rule: Serialization, name: str, target: str, value: object) -> str:
    """Serialize a cookie as ``name=value``."""
    content = _encode_content(rule, name, value)
    is_single = isinstance(content, str) or (isinstance(content, list) and len(content) == 1)
    if rule.explode and not is_single:
        raise ArgumentError(f"{name!r} is sent in a cookie, which can hold only one value")

    def checked(text: str) -> str:
        if not _COOKIE_VALUE.fullmatch(text):
            raise ArgumentError(f"{name!r} is sent in a cookie, which cannot contain {text!r}; use plain characters")
        return text

    return f"{target}={_join(name, content, checked, ',', explode=False)}"


def _encode_content(rule: Serialization, name: str, value: object) -> _Content:
    if rule.media_type:
        return _encode_as(rule.media_type, name, value)
    if isinstance(value, list):
        items = cast("list[object]", value)
        content: _Content = [encode_text(f"{name}[{at}]", item) for at, item in enumerate(items)]
    elif isinstance(value, dict):
        members = cast("dict[str, object]", value).items()
        content = {encode_text(name, key): encode_text(f"{name}.{key}", item) for key, item in members}
    else:
        return encode_text(name, value)
    if not content:
        kind = "list" if isinstance(value, list) else "object"
        raise ArgumentError(f"{name!r} must not be empty: an empty {kind} cannot be sent here; leave {name!r} out")
    return content


def _encode_as(media_type: str, name: str, value: object) -> str:
    if not media_type.endswith("json"):
        return encode_text(name, value)
    encode_json(name, value)  # raises for values that JSON cannot express
    return json.dumps(value, separators=(",", ":"))


def _join(name: str, content: _Content, write: _Write, delimiter: str, *, explode: bool) -> str:
    if isinstance(content, str):
        return write(content)
    if explode and isinstance(content, dict):
        members = _check_members(name, content, delimiter)
        return delimiter.join(f"{write(key)}={write(text)}" for key, text in members.items())
    return delimiter.join(write(item) for item in _check_delimiters(name, _flatten(content), delimiter))


def _join_matrix(rule: Serialization, name: str, target: str, content: _Content, write: _Write) -> str:
    """Return ``;ids=1;ids=2``, or ``;ids=1,2``; an empty value has no equals sign."""
    if isinstance(content, str):
        pairs = [(target, content)]
    elif not rule.explode:
        return f";{write(target)}={_join(name, content, write, ',', explode=False)}"
    elif isinstance(content, dict):
        pairs = list(_check_members(name, content, ";").items())
    else:
        pairs = [(target, item) for item in _check_delimiters(name, content, ";")]
    return "".join(f";{write(key)}={write(text)}" if text else f";{write(key)}" for key, text in pairs)


def _check_members(name: str, content: dict[str, str], delimiter: str) -> dict[str, str]:
    """Return an object's members after checking that they can be split again in ``a=1,b=2``."""
    _check_delimiters(name, _flatten(content), delimiter)
    _check_delimiters(name, content, "=")
    return content


def _flatten_deep_object(name: str, target: str, value: object) -> list[tuple[str, str]]:
    """Return ``filter[a]=1`` and ``filter[b][c]=2`` as pairs of keys and values.

    OpenAPI leaves lists within a deepObject undefined, and servers read them differently, so they are rejected.
    """
    pairs: list[tuple[str, str]] = []
    pending = [(name, target, value)]
    while pending:
        label, key, entry = pending.pop()
        if isinstance(entry, dict):
            members = cast("dict[str, object]", entry)
            if not members:
                raise ArgumentError(f"{label!r} must not be empty: an empty object cannot be sent here; leave it out")
            _check_delimiters(label, members, "[", "]")
            pending += [(f"{label}.{member}", f"{key}[{member}]", item) for member, item in reversed(members.items())]
        elif entry is value:
            raise ArgumentError(f"{name!r} must be an object, got {value!r}")
        elif isinstance(entry, list):
            raise ArgumentError(f"{label!r} must not be a list: the style deepObject is not defined for lists")
        else:
            pairs.append((key, encode_text(label, entry)))
    return pairs


def _flatten(content: list[str] | dict[str, str]) -> list[str]:
    """Return a list's items, or an object's keys and values in turn."""
    return content if isinstance(content, list) else [text for pair in content.items() for text in pair]


def _check_delimiters(name: str, texts: Iterable[str], *delimiters: str) -> list[str]:
    """Return texts after checking that they can be split again when a delimiter joins them."""
    found = list(texts)
    for text in found:
        for delimiter in delimiters:
            if delimiter in text:
                raise ArgumentError(f"{name!r} cannot be sent: {text!r} contains the delimiter {delimiter!r}")
    if found == [""]:
        raise ArgumentError(f"{name!r} cannot be sent: a list of one empty text would be read as an empty list")
    return found


def _quoted(text: str) -> str:
    return quote(text, safe="")
