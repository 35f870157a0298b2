"""Text that agents read but people do not see: a way to give orders behind somebody's back."""

from __future__ import annotations

import re

__all__ = ["visible"]

# Control characters (besides tab and line feed), zero-width and direction marks, and the tag block of Unicode with the
# variation selectors behind it, in which whole sentences can hide.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)


def visible(text: str) -> str:
    """Return the text without characters that nobody sees."""
    return _UNSEEN.sub("", text)
