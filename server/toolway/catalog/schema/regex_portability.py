"""Removal of regular expressions that are not valid in both Python and JavaScript's strict mode.

Pydantic accepts more: ``\\p{L}``, ``\\z``, flags. A client that compiles an output schema fails on those, and some
clients then reject the whole list of tools.
"""

from __future__ import annotations

import re
from functools import lru_cache

from toolway.catalog.schema.traversal import iter_schemas, rewrite_schema
from toolway.openapi import Schema

__all__ = ["make_portable"]

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
"""A repeated look-ahead or look-behind, which only Python allows."""
_STRICTER = ("not", "if", "then", "else", "contains", "dependentSchemas", "discriminator")
"""Keywords that may reject more values when a schema inside them accepts more."""


def make_portable(schema: Schema) -> Schema:
    """Return a schema without patterns that are not portable; it accepts the same values or more."""
    return rewrite_schema(schema, _remove_patterns) if any(map(_has_foreign_pattern, iter_schemas(schema))) else schema


def _has_foreign_pattern(node: Schema) -> bool:
    pattern = node.get("pattern")
    named = node.get("patternProperties")
    return (isinstance(pattern, str) and not _is_portable(pattern)) or (
        isinstance(named, dict) and not all(map(_is_portable, node["patternProperties"]))
    )


def _remove_patterns(node: Schema, _name: str | None) -> Schema:
    for key in _STRICTER:
        node.pop(key, None)
    if "oneOf" in node:
        variants = node.pop("oneOf")
        node.setdefault("anyOf", variants)
    if _has_foreign_pattern(node):
        node.pop("pattern", None)
        if node.pop("patternProperties", None) is not None:
            node.pop("additionalProperties", None)  # it would otherwise apply to the properties that matched
    return node


@lru_cache(maxsize=1024)
def _is_portable(pattern: str) -> bool:
    """Return whether the syntax of a regular expression is valid in JavaScript and in Python."""
    if not _PORTABLE.fullmatch(pattern) or _REPEATED_LOOK.search(pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True
