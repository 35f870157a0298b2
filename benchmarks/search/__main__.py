"""Compare how well searches find tools: toolway's, with and without embeddings, and FastMCP's search transform.

    python -m benchmarks.search DATA    # prints the page RESULTS.md; DATA has the folders bfcl and metatool

The data sets are described in `benchmarks.search.data_sets`. Weights and synonyms were tuned on them, so the results of
other catalogs can be worse.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environments import NotInstalledError, python_of
from benchmarks.search.data_sets import DataSet, read_data_sets
from toolway.catalog.search import SearchIndex
from toolway.catalog.search.embeddings import Embeddings, load_embeddings

__all__ = ["main"]

_LIMITS = (1, 5, 10, 20)
_PYTHON = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
_HEADER = f"""# Search

Measured with `python -m benchmarks.search`: {_PYTHON}. Recall is the share of the expected tools
among the first ones that a search returns. The synonyms and weights of toolway were tuned on these data sets. FastMCP
is called through its client, so its time contains the call.
"""
_PROGRAM = Path(__file__).with_name("fastmcp_ranking.py")


@dataclass(frozen=True, kw_only=True)
class _FastMCP:
    """FastMCP in an environment of its own."""

    environment: str = "search/fastmcp"
    requirements: tuple[str, ...] = ("fastmcp==4.2.3", "mcp==2.3.0")
    package: str = "fastmcp"


@dataclass(frozen=True, slots=True)
class _Ranking:
    """The results of a search for each query of a data set."""

    title: str
    found: Sequence[Sequence[str]]
    build_seconds: float | None
    query_seconds: float


def main() -> int:
    """Print the table; return 1 if a search could not be run."""
    parser = argparse.ArgumentParser(description="Compare how well searches find tools.")
    parser.add_argument("data", type=Path, help="the folder that contains bfcl and metatool")
    try:
        data_sets = read_data_sets(parser.parse_args().data)
        print(_HEADER)
        print("| data set | search | recall@1 | @5 | @10 | @20 | index | query |\n|---|---|--:|--:|--:|--:|--:|--:|")
        for data_set in data_sets:
            for ranking in _rank(data_set):
                print(_write_row(data_set, ranking), flush=True)
    except (FileNotFoundError, NotInstalledError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _rank(data_set: DataSet) -> Iterator[_Ranking]:
    yield _rank_with_fastmcp(data_set)
    yield _rank_with_toolway(data_set, "toolway", None)
    embeddings = load_embeddings()
    if embeddings is not None:
        yield _rank_with_toolway(data_set, "toolway[search]", embeddings)


def _rank_with_toolway(data_set: DataSet, title: str, embeddings: Embeddings | None) -> _Ranking:
    SearchIndex([_fields_of(tool) for tool in data_set.tools[:1]], embeddings).search("warm up")
    started = time.perf_counter()
    index = SearchIndex([_fields_of(tool) for tool in data_set.tools], embeddings)
    built = time.perf_counter()
    matches = [index.search(query.text, max(_LIMITS)) for query in data_set.queries]
    finished = time.perf_counter()
    found = [[data_set.tools[match.document]["name"] for match in ranked] for ranked in matches]
    return _Ranking(title, found, built - started, (finished - built) / len(found))


def _fields_of(tool: Mapping[str, Any]) -> dict[str, str]:
    properties: Mapping[str, Mapping[str, Any]] = tool["parameters"]["properties"]
    return {
        "name": tool["name"],
        "description": tool["description"],
        "arguments": " ".join(properties),
        "argument_descriptions": " ".join(str(schema.get("description", "")) for schema in properties.values()),
    }


def _rank_with_fastmcp(data_set: DataSet) -> _Ranking:
    asked = {
        "tools": data_set.tools,
        "queries": [query.text for query in data_set.queries],
        "limit": max(_LIMITS),
    }
    done = subprocess.run(
        [str(python_of(_FastMCP())), str(_PROGRAM)],
        input=json.dumps(asked),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise NotInstalledError(f"FastMCP failed: {done.stderr.strip().splitlines()[-1]}")
    answer = json.loads(done.stdout)
    return _Ranking("FastMCP 4.2.3, BM25", answer["found"], None, answer["seconds"])


def _write_row(data_set: DataSet, ranking: _Ranking) -> str:
    pairs = list(zip(data_set.queries, ranking.found, strict=True))
    recalls = [
        sum(len(query.expected & set(found[:limit])) / len(query.expected) for query, found in pairs) / len(pairs)
        for limit in _LIMITS
    ]
    build = "" if ranking.build_seconds is None else f"{ranking.build_seconds * 1000:.0f} ms"
    cells = [
        f"{data_set.title}: {len(data_set.tools):,} tools, {len(pairs):,} queries",
        ranking.title,
        *(f"{recall:.3f}" for recall in recalls),
        build,
        f"{ranking.query_seconds * 1000:.2f} ms",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
