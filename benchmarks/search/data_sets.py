"""Public data sets of queries and the tools that they need.

- BFCL v4 (https://github.com/ShishirPatil/gorilla, Apache-2.0): the files of the folder
  ``berkeley-function-call-leaderboard/bfcl_eval/data``, in ``bfcl`` of the data folder.
- MetaTool (https://github.com/HowieHwong/MetaTool, MIT): the files of the folder ``dataset``, in ``metatool``.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["BFCL_FILES", "DataSet", "Query", "read_data_sets"]

_MOST_QUERIES = 2000
_SEED = 7
BFCL_FILES = tuple(
    f"BFCL_v4_{name}.json"
    for name in ("simple_python", "simple_java", "simple_javascript", "multiple", "live_simple", "live_multiple")
)


@dataclass(frozen=True, slots=True)
class Query:
    """A text, and the names of the tools that it needs."""

    text: str
    expected: frozenset[str]


@dataclass(frozen=True, slots=True)
class DataSet:
    """Tools as JSON Schema functions (``name``, ``description``, ``parameters``), and queries."""

    title: str
    tools: Sequence[dict[str, Any]]
    queries: Sequence[Query]


def read_data_sets(folder: Path) -> list[DataSet]:
    """Return the data sets of a folder, with at most 2,000 queries each, which are sampled with a fixed seed.

    Raises:
        FileNotFoundError: a data set is missing.
    """
    return [_read_bfcl(folder / "bfcl"), *_read_metatool(folder / "metatool")]


def _read_bfcl(folder: Path) -> DataSet:
    tools: dict[str, dict[str, Any]] = {}
    queries: list[Query] = []
    for name in BFCL_FILES:
        answers = folder / "possible_answer" / name
        expected = {
            answer["id"]: frozenset(function for call in answer["ground_truth"] for function in call)
            for answer in _read_lines(answers)
        }
        for entry in _read_lines(folder / name):
            for function in entry["function"]:
                tools.setdefault(function["name"], function)
            if entry["id"] in expected:
                text = " ".join(turn["content"] for turn in entry["question"][0] if turn["role"] == "user")
                queries.append(Query(text, expected[entry["id"]]))
    return DataSet("BFCL, one tool", list(tools.values()), _sample(queries))


def _read_metatool(folder: Path) -> Iterator[DataSet]:
    descriptions: dict[str, str] = json.loads((folder / "plugin_des.json").read_text(encoding="utf-8"))
    tools: list[dict[str, Any]] = [
        {"name": name, "description": text, "parameters": {"type": "object", "properties": {}}}
        for name, text in descriptions.items()
    ]
    with (folder / "data" / "all_clean_data.csv").open(encoding="utf-8", newline="") as file:
        single = [Query(row["Query"], frozenset([row["Tool"]])) for row in csv.DictReader(file)]
    text = (folder / "data" / "multi_tool_query_golden.json").read_text(encoding="utf-8")
    double = [Query(entry["query"], frozenset(entry["tool"])) for entry in json.loads(text)]
    yield DataSet("MetaTool, one tool", tools, _sample(single))
    yield DataSet("MetaTool, two tools", tools, _sample(double))


def _read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _sample(queries: Sequence[Query]) -> Sequence[Query]:
    if len(queries) <= _MOST_QUERIES:
        return queries
    return random.Random(_SEED).sample(queries, _MOST_QUERIES)
