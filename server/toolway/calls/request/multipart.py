"""multipart/form-data (RFC 7578)."""

from __future__ import annotations

import mimetypes
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

from python_multipart.multipart import parse_options_header

from toolway.calls.request.value_encoding import decode_base64, encode_text
from toolway.errors import ArgumentError

__all__ = ["Part", "encode_multipart", "make_file_part"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 4096
"""The longest header line that form parsers accept, in bytes."""
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;\s*[\w-]+=[\w.+-]+)*", re.ASCII)
_DATA_URL = re.compile(r"data:(?P<media_type>[^,]*?)(?P<base64>;base64)?,", re.IGNORECASE)
_FILE_KEYS = {"filename", "content_type", "data", "text"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a form; a file if it has a file name."""

    field: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """Headers besides Content-Disposition and Content-Type."""


def encode_multipart(parts: Iterable[Part]) -> tuple[str, bytes]:
    """Return the content type with its boundary, and the body."""
    boundary = secrets.token_hex(16)
    lines = b"".join(_encode_part(part, boundary) for part in parts)
    return f"multipart/form-data; boundary={boundary}", lines + f"--{boundary}--\r\n".encode()


def make_file_part(name: str, field: str, value: object, allowed: str = "") -> Part:
    """Return the part for a file argument ``{"filename", "content_type", "data" | "text"}``.

    Args:
        name: the name of the argument.
        field: the name of the form field.
        value: the argument.
        allowed: the media types that the OpenAPI document allows, separated by commas; empty for any.

    Raises:
        ArgumentError: the value has another shape or media type, its base64 is invalid, or its file name cannot be sent
            exactly.
    """
    entry = _check_file(name, value)
    content = entry["text"].encode() if "text" in entry else decode_base64(f"{name}.data", entry["data"])
    filename = entry.get("filename", "file")
    _encode_parameter(f"{name}.filename", "filename", filename)
    return Part(field, content, filename, _choose_content_type(name, entry, filename, allowed))


def _check_file(name: str, value: object) -> dict[str, str]:
    shape = '{"filename": ..., "content_type": ..., "data": base64} or with "text" instead of "data"'
    if not isinstance(value, dict):
        raise ArgumentError(f"{name!r} must be a file object {shape}")
    entry = cast("dict[str, Any]", value)
    given = {key: item for key, item in entry.items() if item is not None}
    if not given.keys() <= _FILE_KEYS or ("data" in given) == ("text" in given):
        raise ArgumentError(f"{name!r} must be a file object {shape}, got the keys {sorted(given)}")
    return _without_data_url(name, {key: encode_text(f"{name}.{key}", item) for key, item in given.items()})


def _without_data_url(name: str, entry: dict[str, str]) -> dict[str, str]:
    """Replace a data URL (RFC 2397) by its base64; its media type is used unless the file has one."""
    found = _DATA_URL.match(entry.get("data", ""))
    if found is None:
        return entry
    if not found["base64"]:
        raise ArgumentError(f"'{name}.data' must be base64 or a base64 data URL ('data:image/png;base64,...')")
    own = {"content_type": found["media_type"]} if found["media_type"] else {}
    return {**own, **entry, "data": entry["data"][found.end() :]}


def _choose_content_type(name: str, entry: dict[str, str], filename: str, allowed: str) -> str:
    fallback = "text/plain; charset=utf-8" if "text" in entry else "application/octet-stream"
    guessed = mimetypes.guess_type(filename)[0] or fallback
    ranges = [part.strip().lower() for part in allowed.split(",") if part.strip()]
    if ranges and not _is_in_ranges(guessed, ranges) and "*" not in ranges[0]:
        guessed = ranges[0]
    chosen = entry.get("content_type", guessed)
    if not _MEDIA_TYPE.fullmatch(chosen):
        raise ArgumentError(f"'{name}.content_type' must be a media type such as text/csv, got {chosen!r}")
    if ranges and not _is_in_ranges(chosen, ranges):
        raise ArgumentError(f"'{name}.content_type' must be one of {', '.join(ranges)}, got {chosen!r}")
    return chosen


def _is_in_ranges(media_type: str, ranges: list[str]) -> bool:
    kind = media_type.partition(";")[0].strip().lower()
    return any(fnmatchcase(kind, entry.partition(";")[0].strip()) for entry in ranges)


def _encode_part(part: Part, boundary: str) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {_encode_parameter(part.field, 'name', part.field)}"
    if part.filename is not None:
        head += f"; {_encode_parameter(part.field, 'filename', part.filename)}"
    if part.content_type is not None:
        head += f"\r\nContent-Type: {part.content_type}"
    head += "".join([f"\r\n{name}: {value}" for name, value in part.headers])
    return head.encode() + b"\r\n\r\n" + part.content + b"\r\n"


def _encode_parameter(name: str, key: str, text: str) -> str:
    """Encode a parameter of a part's Content-Disposition, and check that form parsers decode the same text."""
    quoted = encode_text(name, text).replace("\\", "\\\\").replace('"', '\\"')
    parameter = f'{key}="{quoted}"'
    written = parameter.encode()
    _, read = parse_options_header(b"form-data; " + written)
    if _CONTROL.search(text) or len(written) > _LONGEST or read.get(key.encode()) != text.encode():
        raise ArgumentError(f"{name!r} cannot be sent in the header of a form part: {text[:200]!r}")
    return parameter
