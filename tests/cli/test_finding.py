"""``toolway find``: what a search finds, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.shell import toolway, write

APP = """
from fastapi import FastAPI
from toolway import agent_tool

app = FastAPI()

@app.get("/orders/{order_id}", operation_id="get_order")
async def get_order(order_id: str) -> str:
    "Read one order."
    return order_id

@app.delete("/orders/{order_id}", operation_id="cancel_order")
@agent_tool(search_words=["storno"])
async def cancel_order(order_id: str) -> str:
    "Cancel a pending order."
    return order_id
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, {"main.py": APP})


def test_the_ranking_shows_scores_and_words(folder: Path) -> None:
    done = toolway("find", "main:app", "abort an order", cwd=folder)
    assert done.returncode == 0, done.stderr
    best, summary, *others = done.stdout.splitlines()
    assert "cancel_order" in best
    assert "abort" in best
    assert summary.strip() == "Cancel a pending order."
    assert "get_order" in others[0]


def test_the_ranking_as_json_can_be_limited(folder: Path) -> None:
    done = toolway("find", "main:app", "storno", "order", "--json", "--limit", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    (best,) = json.loads(done.stdout)
    assert best["name"] == "cancel_order"
    assert "storno" in best["words"]
    assert best["score"] == pytest.approx(sum(best["words"].values()))


def test_a_search_without_a_match_exits_with_1(folder: Path) -> None:
    done = toolway("find", "main:app", "qqxzw", cwd=folder)
    assert done.returncode == 1
    assert "No tool matches" in done.stderr
