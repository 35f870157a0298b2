"""Arguments of a call, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, cast

from toolway.errors import ArgumentError

__all__ = ["read_json", "read_pairs"]


def read_json(text: str | None) -> dict[str, Any]:
    """Read the arguments that stand in one JSON object.

    Raises:
        ArgumentError: it is not JSON, or not an object.
    """
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"--json is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ArgumentError(f'--json takes an object of arguments, such as \'{{"name": "value"}}\', got {text!r}')
    return cast("dict[str, Any]", found)


def read_pairs(words: Iterable[str]) -> dict[str, str]:
    """Take ``key=value`` words apart; of two with one key the later counts.

    Raises:
        ArgumentError: a word has no ``=``, or nothing before it.
    """
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise ArgumentError(f"expected key=value after the tool's name, got {word!r}")
        pairs[name] = text
    return pairs
