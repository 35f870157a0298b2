"""The data sets of the search benchmark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.search.data_sets import BFCL_FILES, Query, read_data_sets


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    function: dict[str, Any] = {"name": "area", "description": "Compute an area.", "parameters": {"properties": {}}}
    question = {"id": "1", "function": [function], "question": [[{"role": "user", "content": "How large is it?"}]]}
    for name in BFCL_FILES:
        write(tmp_path / "bfcl" / name, json.dumps(question) + "\n")
        write(tmp_path / "bfcl" / "possible_answer" / name, json.dumps({"id": "1", "ground_truth": [{"area": {}}]}))
    metatool = tmp_path / "metatool"
    write(metatool / "plugin_des.json", json.dumps({"news": "Read news.", "maps": "Show maps."}))
    write(metatool / "data" / "all_clean_data.csv", "Query,Tool\nWhat is new?,news\n")
    double = [{"query": "Where is it new?", "tool": ["news", "maps"]}]
    write(metatool / "data" / "multi_tool_query_golden.json", json.dumps(double))
    return tmp_path


def test_tools_and_queries_are_read_from_both_data_sets(folder: Path) -> None:
    bfcl, single, double = read_data_sets(folder)
    assert [tool["name"] for tool in bfcl.tools] == ["area"]
    assert bfcl.queries[0] == Query("How large is it?", frozenset({"area"}))
    assert [tool["name"] for tool in single.tools] == ["news", "maps"]
    assert single.queries == [Query("What is new?", frozenset({"news"}))]
    assert double.queries == [Query("Where is it new?", frozenset({"news", "maps"}))]


def test_a_missing_data_set_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="BFCL_v4"):
        read_data_sets(tmp_path)
