"""Content encodings of responses: toolway does not ask for them, but an application may use one anyway."""

from __future__ import annotations

import zlib

__all__ = ["decode_body"]

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})


def decode_body(body: bytes, encodings: str, max_bytes: int) -> bytes | None:
    """Return a body without its encodings (RFC 9110, section 8.4), truncated to one byte more than `max_bytes`.

    None if an encoding is unknown or the body is not encoded that way.
    """
    for encoding in reversed(encodings.lower().split(",")):
        if encoding.strip() not in _ENCODINGS:
            return None
        try:
            body = zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, max_bytes + 1)
        except zlib.error:
            return None
    return body
