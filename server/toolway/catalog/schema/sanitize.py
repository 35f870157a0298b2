"""Removal of text that agents read but people do not see, which can hide instructions."""

from __future__ import annotations

import re

__all__ = ["strip_invisible"]

# Control characters (except tab and line feed), zero-width and direction marks, and the tag block of Unicode with the
# variation selectors after it, which can encode whole sentences.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)


def strip_invisible(text: str) -> str:
    """Return the text without invisible characters."""
    return _INVISIBLE.sub("", text)
