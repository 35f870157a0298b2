"""Each example declares what it needs, so that it can be run on its own."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT

EXAMPLES = sorted((ROOT / "agents-examples").glob("*.py"))
_BLOCK = re.compile(r"^# /// script\n((?:#.*\n)+?)# ///$", re.MULTILINE)
# Packages that a declared package installs under other names.
_BRINGS = {"mcp": {"mcp", "mcp_types"}, "pydantic-ai-slim": {"pydantic_ai", "fastmcp"}}


def declaration(example: Path) -> dict[str, Any]:
    (block,) = _BLOCK.findall(example.read_text(encoding="utf-8"))
    return tomllib.loads("".join(line[2:] + "\n" for line in block.splitlines()))


def imported(example: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(example.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
    return {module.partition(".")[0] for module in modules} - sys.stdlib_module_names


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_declares_what_it_imports(example: Path) -> None:
    declared = [re.split(r"[\[<>=~!; ]", line)[0] for line in declaration(example)["dependencies"]]
    assert imported(example) <= {module for package in declared for module in _BRINGS.get(package, {package})}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_runs_on_the_pythons_of_the_project(example: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert declaration(example)["requires-python"] == project["requires-python"]
