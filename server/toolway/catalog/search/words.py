"""The words of a text as the search compares them: split, without stop words, reduced to their stems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

import Stemmer

__all__ = ["grams_of", "split_words", "stem", "synonyms_of"]

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_GRAM = 2
_stemmer: Any = cast("Any", Stemmer).Stemmer("english")


def split_words(text: str) -> Iterator[str]:
    """Yield the stems of the words in a text; names are split at case, digits and underscores."""
    stop_words = _stop_words()
    for word in _WORD.findall(text):
        lower = word.lower()
        if lower not in stop_words:
            yield stem(lower)


@cache
def stem(word: str) -> str:
    """Return the stem of a lower-case word (Snowball, English)."""
    return _stemmer.stemWord(word)


@cache
def grams_of(word: str) -> frozenset[str]:
    """Return the pairs of characters in a word, with marks for its ends."""
    marked = f"^{word}$"
    return frozenset(marked[at : at + _GRAM] for at in range(max(1, len(marked) - _GRAM + 1)))


def synonyms_of(word: str) -> frozenset[str]:
    """Return the stems of general verbs and nouns of APIs that mean the same as one with this stem."""
    return _read_synonyms().get(word, frozenset())


@cache
def _stop_words() -> frozenset[str]:
    return frozenset(word for group in _read_groups("stop_words.txt") for word in group)


@cache
def _read_synonyms() -> Mapping[str, frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for group in _read_groups("synonyms.txt"):
        words = {stem(word) for word in group}
        for word in words:
            groups.setdefault(word, set()).update(words - {word})
    return {word: frozenset(others) for word, others in groups.items()}


def _read_groups(name: str) -> Iterator[list[str]]:
    """Yield the words on each line of a data file."""
    for line in files("toolway.catalog.search").joinpath(name).read_text(encoding="utf-8").splitlines():
        yield line.partition("#")[0].split()
