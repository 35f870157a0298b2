"""Encoding of single values for a request: exactly as given, or not at all.

Every function raises `ArgumentError`, which names the argument, for a value that cannot be sent.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from http.cookies import CookieError, SimpleCookie
from typing import cast

from pydantic_core import to_json
from starlette.requests import cookie_parser

from toolway.errors import ArgumentError

__all__ = ["decode_base64", "encode_cookie", "encode_header", "encode_json", "encode_text", "list_values"]

_TOO_LONG = b"0" * 4300
_DIGITS_TO_ZEROS = bytes.maketrans(b"123456789", b"000000000")
# Visible Latin-1 characters, with spaces and tabs only between them (RFC 9110, section 5.5).
_FIELD_VALUE = re.compile(r"(?:[!-~\xa1-\xff](?:[\t !-~\xa0-\xff]*[!-~\xa1-\xff])?)?")


def encode_text(name: str, value: object) -> str:
    """Return a scalar as text for a path, query, header or form: a string unchanged, other types as in JSON."""
    if isinstance(value, str):
        return _check_encodable(name, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _encode_integer(name, value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ArgumentError(f"{name!r} must be a finite number, got {value!r}")
        return json.dumps(value)
    raise ArgumentError(f"{name!r} must be text, a number or a boolean, got {_describe_type(value)}")


def list_values(value: object) -> list[object]:
    """Return the values to send under one name: the items of a list, a single value, or none for null."""
    if isinstance(value, list):
        return cast("list[object]", value)
    return [] if value is None else [value]


def encode_header(name: str, value: object) -> bytes:
    """Return the value of a header; line breaks and other control characters are rejected."""
    text = encode_text(name, value)
    if not _FIELD_VALUE.fullmatch(text):
        raise ArgumentError(
            f"{name!r} is sent in an HTTP header: expected visible Latin-1 characters and inner spaces, got {text!r}"
        )
    return text.encode("latin-1")


def encode_cookie(name: str, target: str, value: object) -> str:
    """Return a cookie as ``name=value``, quoted if necessary (RFC 6265), that is parsed to the same value."""
    text = encode_text(name, value)
    try:
        pair = f"{target}={SimpleCookie().value_encode(text)[1]}"
        pair.encode("latin-1")
    except (CookieError, UnicodeEncodeError):
        pair = ""
    if not pair or cookie_parser(pair) != {target: text} or not pair.isprintable():
        raise ArgumentError(f"{name!r} is sent in a cookie, which cannot contain {text!r}; use plain characters")
    return pair


def encode_json(name: str, value: object) -> bytes:
    """Return a value as JSON; NaN, infinite numbers and lone surrogates are rejected."""
    try:
        body = to_json(value)
    except ValueError:
        return _encode_strictly(name, value)
    return _encode_strictly(name, value) if _may_have_invalid_number(body) else body


def _may_have_invalid_number(body: bytes) -> bool:
    """Return whether JSON may contain NaN, an infinite number, or one with more digits than Python parses."""
    is_infinite = b"NaN" in body or b"Infinity" in body
    return is_infinite or (len(body) > len(_TOO_LONG) and _TOO_LONG in body.translate(_DIGITS_TO_ZEROS))


def _encode_strictly(name: str, value: object) -> bytes:
    """Return a value as JSON with the standard library, which is six times slower but names the problem."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"{name!r} contains a lone surrogate, which is not valid text") from error
    except RecursionError as error:
        raise ArgumentError(f"{name!r} is nested too deeply") from error
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"{name!r} contains a number that JSON cannot express (NaN, infinite or too long)"
        ) from error


def decode_base64(name: str, value: object) -> bytes:
    """Decode base64 (RFC 4648, section 4)."""
    try:
        return base64.b64decode(encode_text(name, value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ArgumentError(f"{name!r} must be valid base64 text (standard alphabet, with padding)") from error


def _check_encodable(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"{name!r} contains a lone surrogate, which is not valid text") from error
    return text


def _encode_integer(name: str, value: int) -> str:
    try:
        return str(value)
    except ValueError as error:
        raise ArgumentError(f"{name!r} has too many digits") from error


def _describe_type(value: object) -> str:
    kinds: dict[type, str] = {list: "a list", dict: "an object", type(None): "null"}
    return kinds.get(type(value), repr(value))
