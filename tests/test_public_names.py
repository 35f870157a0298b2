"""The public names of toolway, and the errors for names from before 1.0."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest
from fastapi import FastAPI

import toolway
from toolway import content, deprecated, errors

NAMES = [
    "Ask",
    "Changes",
    "Filter",
    "Hints",
    "Message",
    "Progress",
    "Question",
    "Remote",
    "Settings",
    "ToolResult",
    "Toolway",
    "ToolwayError",
    "agent_prompt",
    "agent_resource",
    "agent_tool",
]
PUBLIC = [(module, name) for module in (toolway, content, deprecated, errors) for name in module.__all__]
MOVED = [
    ("ImageContent", "toolway.content"),
    ("FilterError", "toolway.errors"),
    ("DeclinedError", "toolway.errors"),
    ("Log", "toolway.deprecated"),
    ("Sampling", "toolway.deprecated"),
]


def test_the_public_names_are_these() -> None:
    assert toolway.__all__ == NAMES


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=str)
def test_every_public_name_has_a_summary(module: ModuleType, name: str) -> None:
    thing = getattr(module, name)
    words = inspect.cleandoc(thing.__doc__ or "")
    assert words.partition("\n\n")[0].rstrip().endswith((".", ":", "``."))
    assert not words.startswith("dict(")


def test_the_public_members_of_toolway_are_these_and_have_docstrings() -> None:
    members = {name: value for name, value in vars(toolway.Toolway).items() if not name.startswith("_")}
    assert sorted(members) == [
        "app", "asgi", "catalog", "changed", "is_running", "mount", "path", "read_catalog", "refresh", "settings",
    ]  # fmt: skip
    assert all(member.__doc__ for member in members.values())
    assert [name for name in vars(toolway.Toolway(FastAPI())) if not name.startswith("_")] == []


@pytest.mark.parametrize("name", ["source", "places", "site", "running"])
def test_an_attribute_that_is_internal_now_is_refused_with_its_replacement(name: str) -> None:
    with pytest.raises(AttributeError, match=f"Toolway.{name} is internal since 1.0; use "):
        getattr(toolway.Toolway(FastAPI()), name)
    assert not hasattr(toolway.Toolway(FastAPI()), "nothing")


def test_every_setting_has_a_docstring() -> None:
    source = inspect.getsource(toolway.Settings)
    for name in toolway.Settings.model_fields:
        following = source[source.index(f"    {name}:") :].splitlines()[1]
        assert following.startswith('    """'), name


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_a_toolway_error(name: str) -> None:
    assert issubclass(getattr(errors, name), toolway.ToolwayError)


@pytest.mark.parametrize(("name", "module"), MOVED)
def test_a_name_that_has_moved_is_refused_with_its_new_module(name: str, module: str) -> None:
    with pytest.raises(ImportError, match=f"toolway.{name} has moved: use `from {module} import {name}`"):
        exec(f"from toolway import {name}")
    assert getattr(import_module(module), name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(toolway, "Nothing")


def test_importing_brings_neither_the_sdk_nor_a_command_line_nor_rich_text() -> None:
    unwanted = {"mcp", "click", "typer", "rich", "uvicorn", "httpx", "httpx2", "jsonschema"}
    code = "import sys, toolway; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not unwanted.intersection(loaded)
