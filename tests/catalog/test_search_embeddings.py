"""Search by meaning, with the extra ``search``."""

from __future__ import annotations

import pytest

from toolway.catalog.search import SearchIndex
from toolway.catalog.search.embeddings import Embeddings, load_embeddings

DOCUMENTS = [
    {"name": "get_forecast", "description": "Return the weather of tomorrow."},
    {"name": "post_invoice", "description": "Send an invoice to a customer."},
]


@pytest.fixture
def embeddings() -> Embeddings:
    found = load_embeddings()
    if found is None:
        pytest.skip("the extra 'search' is not installed")
    return found


def test_a_tool_is_found_by_its_meaning(embeddings: Embeddings) -> None:
    query = "is it going to rain"
    assert SearchIndex(DOCUMENTS).search(query) == []
    index = SearchIndex(DOCUMENTS, embeddings)
    matches = index.search(query)
    assert matches[0].document == 0
    assert set(index.explain(query, matches)[0]) == {"~"}


def test_the_same_query_gives_the_same_ranking(embeddings: Embeddings) -> None:
    first, second = (SearchIndex(DOCUMENTS, embeddings).search("bill a client") for _ in range(2))
    assert first == second


def test_an_empty_catalog_can_be_searched(embeddings: Embeddings) -> None:
    assert SearchIndex([], embeddings).search("order") == []
