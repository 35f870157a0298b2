"""Definitions of tools that are on file, one tool per file: a change of them is seen, and meant."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from toolway.catalog import Tool

HOW = "after a change that is meant: UPDATE_GOLDEN=1 make test ARGS=tests/golden, and read the difference"


def compare(tools: Mapping[str, Tool], folder: Path) -> None:
    """Require that the tools are, in both eras, what the folder says; write it anew where that is asked for."""
    found = {
        name: {"2026-07-28": tool.definition(wrapped=False), "2025-11-25": tool.definition(wrapped=True)}
        for name, tool in tools.items()
    }
    if os.environ.get("UPDATE_GOLDEN"):
        _write(found, folder)
    known = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))}
    if found.keys() != known.keys():
        pytest.fail(f"not on file: {sorted(found - known.keys())}, gone: {sorted(known - found.keys())}; {HOW}")
    for name, definition in found.items():
        assert definition == known[name], f"{name} is not as it stands on file; {HOW}"
        assert written(definition) == written(known[name]), f"{name} has another order than on file; {HOW}"


def written(definition: Any) -> str:
    """Write a definition in its own order, in which agents read it, too."""
    return json.dumps(definition, indent=2, ensure_ascii=False) + "\n"


def _write(found: dict[str, dict[str, Any]], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.json"):
        file.unlink()
    for name, definition in found.items():
        (folder / f"{name}.json").write_text(written(definition), "utf-8")
