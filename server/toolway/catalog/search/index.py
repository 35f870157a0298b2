"""An index of tools, and the ranking of a query: BM25F over weighted fields, with synonyms, typos and embeddings.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), section 3.6. The weights of words
in documents are computed when the index is built, so a query only adds them up.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from heapq import nsmallest
from itertools import islice

from toolway.catalog.search.embeddings import Embeddings
from toolway.catalog.search.words import grams_of, split_words, synonyms_of

__all__ = ["Match", "SearchIndex"]

FIELD_WEIGHTS: Mapping[str, float] = {
    "name": 3.0,
    "title": 2.0,
    "search_words": 2.0,
    "summary": 0.5,
    "tags": 1.0,
    "description": 1.0,
    "path": 1.0,
    "arguments": 0.8,
    "argument_descriptions": 0.4,
}
_SATURATION = 1.4
_LENGTH = 0.5
_SYNONYM_WEIGHT = 0.4
_TYPO_WEIGHT = 0.6
_LEAST_SIMILARITY = 0.55
_MOST_TYPOS = 4
_EMBEDDING_WEIGHT = 2.0
_LEAST_MEANING = 0.25
"""The similarity from which a document matches that has none of the words."""
_LONGEST_QUERY = 64


@dataclass(frozen=True, slots=True)
class Match:
    """A document that matches a query."""

    document: int
    """The number of the document in the order in which they were given."""
    score: float


class SearchIndex:
    """Ranks documents for a query; the same query always gives the same ranking.

    Args:
        documents: the texts of each document by field; the fields are those of `FIELD_WEIGHTS`.
        embeddings: also compares the meaning of texts; None compares words alone.
    """

    def __init__(self, documents: Sequence[Mapping[str, str]], embeddings: Embeddings | None = None) -> None:
        fields = [{name: list(split_words(text)) for name, text in document.items()} for document in documents]
        self._size = len(documents)
        self._postings = _weigh(fields)
        self._vectors = None
        if embeddings is not None:
            texts = [
                " ".join(filter(None, (document.get("name"), document.get("title"), document.get("description"))))
                for document in documents
            ]
            self._vectors = embeddings.encode(texts)
        self._embeddings = embeddings
        self._expand = lru_cache(maxsize=4096)(self._expand_word)

    def search(self, query: str, limit: int = 10) -> list[Match]:
        """Return the best matches, best first; documents with the same score in their own order."""
        scores: dict[int, float] = {}
        for word, repeated in _count_words(query).items():
            for document, weight in self._expand(word).items():
                scores[document] = scores.get(document, 0.0) + repeated * weight
        if self._embeddings is not None and self._size:
            scale = self._scale(scores)
            scores = {document: score * scale for document, score in scores.items()}
            for document, similarity in enumerate(self._embeddings.compare(query, self._vectors)):
                if similarity >= _LEAST_MEANING or (similarity > 0 and document in scores):
                    scores[document] = scores.get(document, 0.0) + _EMBEDDING_WEIGHT * similarity
        ranked = nsmallest(limit, scores.items(), key=lambda entry: (-entry[1], entry[0]))
        return [Match(document, score) for document, score in ranked]

    def explain(self, query: str, matches: Sequence[Match]) -> list[dict[str, float]]:
        """Return what each word of a query, by its stem, adds to the scores of its matches; ``~`` for the meaning."""
        words = _count_words(query)
        totals: defaultdict[int, float] = defaultdict(float)
        for word, repeated in words.items():
            for document, weight in self._expand(word).items():
                totals[document] += repeated * weight
        scale = 1.0 if self._embeddings is None else self._scale(totals)
        explained: list[dict[str, float]] = []
        for match in matches:
            weights = {word: self._expand(word).get(match.document, 0.0) * repeated for word, repeated in words.items()}
            parts = {word: weight * scale for word, weight in weights.items() if weight}
            if self._embeddings is not None:
                parts["~"] = match.score - sum(parts.values())
            explained.append(parts)
        return explained

    def nearest_words(self, query: str, limit: int = 5) -> list[str]:
        """Return words of the documents that look like those of a query."""
        found = [word for stem in split_words(query) for word, _ in self._similar_words(stem)]
        return list(dict.fromkeys(found))[:limit]

    @staticmethod
    def _scale(scores: Mapping[int, float]) -> float:
        """Return the factor that makes the best score 1, so that the meaning counts the same for every query."""
        best = max(scores.values(), default=0.0)
        return 1 / best if best else 1.0

    def _expand_word(self, word: str) -> Mapping[int, float]:
        """Return what a word adds to the score of each document: the most of itself, its synonyms and its typos."""
        weights = dict(self._postings.get(word, {}))
        related = [(synonym, _SYNONYM_WEIGHT) for synonym in synonyms_of(word)]
        if word not in self._postings:
            related += [(similar, _TYPO_WEIGHT * similarity) for similar, similarity in self._similar_words(word)]
        for other, share in related:
            for document, weight in self._postings.get(other, {}).items():
                weights[document] = max(weights.get(document, 0.0), share * weight)
        return weights

    @cached_property
    def _words_by_gram(self) -> Mapping[str, Sequence[str]]:
        """The words of the index by their pairs of characters; most queries do not need them."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for word in self._postings:
            for gram in grams_of(word):
                found[gram].append(word)
        return found

    def _similar_words(self, word: str) -> list[tuple[str, float]]:
        """Return the words of the index that share most pairs of characters with a word."""
        grams = grams_of(word)
        shared = Counter(candidate for gram in grams for candidate in self._words_by_gram.get(gram, ()))
        similar = (
            (candidate, 2 * count / (len(grams) + len(grams_of(candidate)))) for candidate, count in shared.items()
        )
        near = [entry for entry in similar if entry[1] >= _LEAST_SIMILARITY]
        return nsmallest(_MOST_TYPOS, near, key=lambda entry: (-entry[1], entry[0]))


def _count_words(query: str) -> dict[str, float]:
    """Return the words of a query by their stems, each with the factor of its repetitions."""
    words = Counter(islice(split_words(query), _LONGEST_QUERY))
    return {word: 1 + math.log(count) for word, count in words.items()}


def _weigh(documents: Sequence[Mapping[str, Sequence[str]]]) -> dict[str, dict[int, float]]:
    """Return the BM25F weight of each word in each document that has it."""
    lengths = _average_lengths(documents)
    frequencies: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for number, document in enumerate(documents):
        for name, words in document.items():
            boost = FIELD_WEIGHTS[name] / (1 - _LENGTH + _LENGTH * len(words) / lengths[name]) if words else 0.0
            for word in words:
                found = frequencies[word]
                found[number] = found.get(number, 0.0) + boost
    return {
        word: {number: _idf(len(documents), len(found)) * _saturate(weight) for number, weight in found.items()}
        for word, found in frequencies.items()
    }


def _average_lengths(documents: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, float]:
    lengths: defaultdict[str, list[int]] = defaultdict(list)
    for document in documents:
        for name, words in document.items():
            if words:
                lengths[name].append(len(words))
    return {name: sum(counts) / len(counts) for name, counts in lengths.items()}


def _idf(documents: int, with_word: int) -> float:
    return math.log(1 + (documents - with_word + 0.5) / (with_word + 0.5))


def _saturate(frequency: float) -> float:
    return frequency * (_SATURATION + 1) / (frequency + _SATURATION)
