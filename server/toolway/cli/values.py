"""Parsing of the arguments of ``toolway call``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from toolway.errors import ArgumentError

__all__ = ["read_json", "read_pairs"]


def read_json(text: str | None) -> dict[str, Any]:
    """Return the arguments in the JSON object of ``--json``.

    Raises:
        ArgumentError: the text is not JSON, or not an object.
    """
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"--json is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise ArgumentError(f'--json expects an object of arguments, such as \'{{"name": "value"}}\', got {text!r}')
    return cast("dict[str, Any]", found)


def read_pairs(words: Iterable[str]) -> dict[str, str]:
    """Split words of the form ``KEY=VALUE``; the last value of a repeated key wins.

    Raises:
        ArgumentError: a word has no ``=``, or nothing before it.
    """
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise ArgumentError(f"expected KEY=VALUE after the tool name, got {word!r}")
        pairs[name] = text
    return pairs
