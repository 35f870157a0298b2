"""Compressed answers: nobody asks for them, but an application may send them all the same."""

from __future__ import annotations

import zlib

__all__ = ["decoded"]

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})


def decoded(body: bytes, encodings: str, most: int) -> bytes | None:
    """Return a body without its encodings (RFC 9110, section 8.4), cut off just after `most` bytes.

    None for an encoding that is not known, and for what is not encoded so.
    """
    for encoding in reversed(encodings.lower().split(",")):
        if encoding.strip() not in _ENCODINGS:
            return None
        try:
            body = zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, most + 1)
        except zlib.error:
            return None
    return body
