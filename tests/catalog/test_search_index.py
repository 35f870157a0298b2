"""The index behind search: rankings are deterministic, and nothing that an agent writes breaks them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolway.catalog.search import SearchIndex
from toolway.catalog.search.index import FIELD_WEIGHTS

DOCUMENTS = [
    {"name": "get_order", "description": "Read one order by its id.", "arguments": "order_id", "path": "orders"},
    {"name": "cancel_order", "description": "Cancel a pending order.", "arguments": "order_id reason"},
    {"name": "listCustomers", "description": "List the customers of the shop.", "tags": "customers"},
    {"name": "export_report", "description": "Write a report of all sales.", "search_words": "spreadsheet"},
    {"name": "HTTPStatusCheck", "description": "Return whether the service is up."},
]
INDEX = SearchIndex(DOCUMENTS)
WORDS = ["order", "cancel", "abort", "purchse", "client", "reports", "HTTP", "a", "the", "~", "_", "12", "中文"]
texts = st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=80).map(" ".join)
documents = st.lists(st.dictionaries(st.sampled_from(list(FIELD_WEIGHTS)), texts, max_size=4), max_size=8)


def names(query: str, limit: int = 10) -> list[str]:
    return [DOCUMENTS[match.document]["name"] for match in INDEX.search(query, limit)]


def test_names_are_found_by_their_words_in_any_case() -> None:
    assert names("list customers")[0] == "listCustomers"
    assert names("LIST_CUSTOMERS")[0] == "listCustomers"
    assert names("http check")[0] == "HTTPStatusCheck"


def test_other_forms_synonyms_and_misspelled_words_are_found() -> None:
    assert names("canceling orders")[0] == "cancel_order"
    assert names("abort a purchase")[0] == "cancel_order"
    assert names("spredsheet") == ["export_report"]


def test_a_word_in_the_name_counts_more_than_one_in_the_description() -> None:
    index = SearchIndex([{"name": "read", "description": "the order"}, {"name": "order", "description": "reads it"}])
    assert [match.document for match in index.search("order")] == [1, 0]


def test_equal_documents_keep_their_order() -> None:
    index = SearchIndex([{"name": "order"}] * 3)
    assert [match.document for match in index.search("order", 2)] == [0, 1]


def test_a_query_of_stop_words_finds_nothing() -> None:
    assert names("what is the of and") == []


@given(documents, texts, st.integers(0, 12))
def test_a_search_is_deterministic_and_never_fails(found: list[dict[str, str]], query: str, limit: int) -> None:
    matches = SearchIndex(found).search(query, limit)
    assert matches == SearchIndex(found).search(query, limit)
    assert len(matches) <= limit
    assert len({match.document for match in matches}) == len(matches)
    assert [match.score for match in matches] == sorted((match.score for match in matches), reverse=True)


@given(documents, texts)
def test_the_words_of_an_explanation_add_up_to_the_score(found: list[dict[str, str]], query: str) -> None:
    index = SearchIndex(found)
    matches = index.search(query)
    for match, words in zip(matches, index.explain(query, matches), strict=True):
        assert abs(sum(words.values()) - match.score) < 1e-9
        assert all(added > 0 for added in words.values())
