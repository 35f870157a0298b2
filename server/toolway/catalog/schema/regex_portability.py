"""Patterns that clients can read: regular expressions both of JavaScript, in its strict mode, and of Python.

Pydantic's own know more: ``\\p{L}``, ``\\z``, flags. A client that compiles an output schema fails on those, and some
clients then refuse the whole list of tools.
"""

from __future__ import annotations

import re
from functools import lru_cache

from toolway.catalog.schema.traversal import each_schema, rewritten
from toolway.openapi import Schema

__all__ = ["portable"]

_ESCAPE = r"\\(?:[dDwWsSfnrtv^$\\.*+?()\[\]{}|/]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})"
_IN_CLASS = rf"\\[dDwWsS](?!-[^\]]) | \\- | (?!\\[dDwWsS]){_ESCAPE} | (?!--|&&|~~|\|\|)[^\\\[\]]"
_PORTABLE = re.compile(
    rf"""(?:
        (?: {_ESCAPE} | [^\\\[\](){{}}|*+?^$] | \[ (?:\^ | (?!\^)) (?:{_IN_CLASS})+ \] | \) )
        (?: (?: [*+?] | \{{ \d+ (?:,\d*)? \}} ) \?? (?![*+?{{]) )?
      | \( (?: \? (?: [:=!] | <[=!] ) )?
      | [|^$] | \\[bB]
    )*""",
    re.VERBOSE,
)
_REPEATED_LOOK = re.compile(r"\(\?<?[=!].*\)[*+?{]", re.DOTALL)
"""What may repeat a look ahead or behind, as Python allows."""
_STRICTER = ("not", "if", "then", "else", "contains", "dependentSchemas", "discriminator")
"""What may refuse more when a schema inside it allows more."""


def portable(schema: Schema) -> Schema:
    """Return a schema without the patterns that some client cannot read; it then allows more, and never less."""
    return rewritten(schema, _without_patterns) if any(map(_is_foreign, each_schema(schema))) else schema


def _is_foreign(node: Schema) -> bool:
    pattern = node.get("pattern")
    named = node.get("patternProperties")
    return (isinstance(pattern, str) and not _is_portable(pattern)) or (
        isinstance(named, dict) and not all(map(_is_portable, node["patternProperties"]))
    )


def _without_patterns(node: Schema, _name: str | None) -> Schema:
    for key in _STRICTER:
        node.pop(key, None)
    if "oneOf" in node:
        variants = node.pop("oneOf")
        node.setdefault("anyOf", variants)
    if _is_foreign(node):
        node.pop("pattern", None)
        if node.pop("patternProperties", None) is not None:
            node.pop("additionalProperties", None)  # it would be all that is left for these members
    return node


@lru_cache(maxsize=1024)
def _is_portable(pattern: str) -> bool:
    """Tell whether a regular expression is one in JavaScript and in Python, as far as its spelling shows."""
    if not _PORTABLE.fullmatch(pattern) or _REPEATED_LOOK.search(pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True
