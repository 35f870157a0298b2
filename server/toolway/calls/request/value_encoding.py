"""How single values travel in a request: exactly as given, or not at all.

Every function raises `ArgumentError`, naming the argument, for a value that its place cannot carry.
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

__all__ = ["base64_bytes", "cookie_pair", "entries", "header_value", "json_bytes", "plain_text"]

_TOO_LONG = b"0" * 4300
_DIGITS_TO_ZEROS = bytes.maketrans(b"123456789", b"000000000")
# Visible Latin-1 characters, with blanks and tabs only between them (RFC 9110, section 5.5).
_FIELD_VALUE = re.compile(r"(?:[!-~\xa1-\xff](?:[\t !-~\xa0-\xff]*[!-~\xa1-\xff])?)?")


def plain_text(name: str, value: object) -> str:
    """Write a scalar as a path, a query or a header carries it: text as it is, anything else as in JSON."""
    if isinstance(value, str):
        return _encodable(name, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _number(name, value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ArgumentError(f"{name!r} must be a finite number, got {value!r}")
        return json.dumps(value)
    raise ArgumentError(f"{name!r} must be text, a number or a boolean, got {_kind(value)}")


def entries(value: object) -> list[object]:
    """The values that one argument gives to a place that may hold several: those of a list, one, or none for null."""
    if isinstance(value, list):
        return cast("list[object]", value)
    return [] if value is None else [value]


def header_value(name: str, value: object) -> bytes:
    """Write a header's value; line breaks and other control characters would start something else."""
    text = plain_text(name, value)
    if not _FIELD_VALUE.fullmatch(text):
        raise ArgumentError(
            f"{name!r} travels in an HTTP header, as visible Latin-1 characters with blanks between them; got {text!r}"
        )
    return text.encode("latin-1")


def cookie_pair(name: str, target: str, value: object) -> str:
    """Write one cookie, quoted where its value needs it (RFC 6265), and make sure that it reads back the same."""
    text = plain_text(name, value)
    try:
        pair = f"{target}={SimpleCookie().value_encode(text)[1]}"
        pair.encode("latin-1")
    except (CookieError, UnicodeEncodeError):
        pair = ""
    if not pair or cookie_parser(pair) != {target: text} or not pair.isprintable():
        raise ArgumentError(f"{name!r} travels in a cookie, which cannot carry {text!r}; use plain characters")
    return pair


def json_bytes(name: str, value: object) -> bytes:
    """Write JSON; NaN and infinities are no JSON, and a lone surrogate is no text."""
    try:
        written = to_json(value)
    except ValueError:
        return _json_bytes(name, value)
    return _json_bytes(name, value) if _may_be_no_json(written) else written


def _may_be_no_json(written: bytes) -> bool:
    """Tell whether there may be a number that JSON cannot carry, or that has more digits than Python reads."""
    is_infinite = b"NaN" in written or b"Infinity" in written
    return is_infinite or (len(written) > len(_TOO_LONG) and _TOO_LONG in written.translate(_DIGITS_TO_ZEROS))


def _json_bytes(name: str, value: object) -> bytes:
    """Write JSON as the standard library does: six times slower, but it tells what is wrong."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"{name!r} holds a lone surrogate, which is no text") from error
    except RecursionError as error:
        raise ArgumentError(f"{name!r} is nested too deeply") from error
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name!r} holds a number that JSON cannot carry (NaN, infinite or too long)") from error


def base64_bytes(name: str, value: object) -> bytes:
    """Read base64 (RFC 4648, section 4)."""
    try:
        return base64.b64decode(plain_text(name, value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ArgumentError(f"{name!r} must be valid base64 text (standard alphabet, with padding)") from error


def _encodable(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"{name!r} holds a lone surrogate, which is no text") from error
    return text


def _number(name: str, value: int) -> str:
    try:
        return str(value)
    except ValueError as error:
        raise ArgumentError(f"{name!r} is a number with too many digits") from error


def _kind(value: object) -> str:
    kinds: dict[type, str] = {list: "a list", dict: "an object", type(None): "null"}
    return kinds.get(type(value), repr(value))
