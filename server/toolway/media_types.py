"""Media types of requests and responses (RFC 9110, section 8.3.1)."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["JSON", "essence", "is_json"]

JSON = "application/json"


@lru_cache(maxsize=256)
def essence(content_type: str) -> str:
    """Return a media type in lower case, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


@lru_cache(maxsize=256)
def is_json(media_type: str) -> bool:
    """Return whether content of this type is JSON; the type must be in lower case, without parameters."""
    return media_type == JSON or media_type.endswith("+json")
