"""Recorded definitions of tools, one file per tool, which show every change of a definition."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from toolway.catalog import Tool

HOW = "after an intended change: UPDATE_GOLDEN=1 make test ARGS=tests/golden, and review the diff"


def compare(tools: Mapping[str, Tool], folder: Path) -> None:
    """Compare the definitions of the tools with the recorded ones; record them if UPDATE_GOLDEN is set."""
    found = {name: _definitions(tool) for name, tool in tools.items()}
    if os.environ.get("UPDATE_GOLDEN"):
        _write(found, folder)
    known = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))}
    if found.keys() != known.keys():
        pytest.fail(f"not recorded: {sorted(found - known.keys())}, gone: {sorted(known - found.keys())}; {HOW}")
    for name, definition in found.items():
        assert definition == known[name], f"{name} differs from the recorded definition; {HOW}"
        assert written(definition) == written(known[name]), (
            f"the members of {name} are in another order than recorded; {HOW}"
        )


def _definitions(tool: Tool) -> dict[str, Any]:
    """Return the whole definition of a tool by revision, and the one in lists if that is another one."""
    whole = {"2026-07-28": tool.whole_definition(wrapped=False), "2025-11-25": tool.whole_definition(wrapped=True)}
    return whole if tool.listed is None else {"listed": tool.definition(wrapped=False), **whole}


def written(definition: Any) -> str:
    """Return a definition as text, in the order in which agents get it."""
    return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"


def _write(found: dict[str, dict[str, Any]], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.json"):
        file.unlink()
    for name, definition in found.items():
        (folder / f"{name}.json").write_text(written(definition), "utf-8")
