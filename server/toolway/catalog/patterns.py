"""Patterns that clients can read: regular expressions both of JavaScript, in its strict mode, and of Python.

Pydantic's own know more: ``\\p{L}``, ``\\z``, flags. A client that compiles an output schema fails on those, and some
clients then refuse the whole list of tools.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["is_portable"]

_ESCAPE = r"\\(?:[dDwWsSfnrtv^$\\.*+?()\[\]{}|/]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})"
_IN_CLASS = rf"\\[dDwWsS](?!-[^\]]) | \\- | (?!\\[dDwWsS]){_ESCAPE} | [^\\\[\]]"
_PORTABLE = re.compile(
    rf"""(?:
        (?: {_ESCAPE} | [^\\\[\](){{}}|*+?^$] | \[ \^? (?:{_IN_CLASS})+ \] | \) )
        (?: (?: [*+?] | \{{ \d+ (?:,\d*)? \}} ) \?? (?![*+?{{]) )?
      | \( (?: \? (?: [:=!] | <[=!] ) )?
      | [|^$] | \\[bB]
    )*""",
    re.VERBOSE,
)


@lru_cache(maxsize=1024)
def is_portable(pattern: str) -> bool:
    """Tell whether a regular expression is one in JavaScript and in Python, as far as its spelling shows."""
    if not _PORTABLE.fullmatch(pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True
