"""Static embeddings of texts, by the package wordllama of the extra ``search``; its weights are in the package."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Embeddings", "load_embeddings"]


class Embeddings:
    """Vectors of texts; texts with a similar meaning have similar vectors."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def encode(self, texts: Sequence[str]) -> Any:
        """Return the vectors of texts, each of length 1, as the rows of a matrix."""
        return self._model.embed(list(texts), norm=True)

    def compare(self, text: str, vectors: Any) -> list[float]:
        """Return the cosine of a text's vector with each of the given ones."""
        return (vectors @ self._model.embed([text], norm=True)[0]).tolist()


@cache
def load_embeddings() -> Embeddings | None:
    """Return the embeddings; None if the extra ``search`` is not installed. Takes about half a second."""
    found = importlib.util.find_spec("wordllama")
    if found is None or found.origin is None:
        return None
    wordllama: Any = importlib.import_module("wordllama")

    # Without these options it would look for the tokenizer on the network.
    return Embeddings(wordllama.WordLlama.load(cache_dir=Path(found.origin).parent, disable_download=True))
