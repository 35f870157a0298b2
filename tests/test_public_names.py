"""What `import toolway` offers, and nothing by accident."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import toolway

NAMES = [
    "Annotations",
    "AppNotFoundError",
    "ArgumentError",
    "Ask",
    "AudioContent",
    "CannotAskError",
    "Changes",
    "ConfigurationError",
    "DeclinedError",
    "DocumentError",
    "EmbeddedResource",
    "Filter",
    "FilterError",
    "Hints",
    "ImageContent",
    "Log",
    "Message",
    "NotStartedError",
    "Progress",
    "Question",
    "Remote",
    "ResourceContents",
    "ResourceLink",
    "Root",
    "Roots",
    "Sampling",
    "Settings",
    "TextContent",
    "ToolResult",
    "Toolway",
    "ToolwayError",
    "UnknownToolError",
    "VersionError",
    "agent_prompt",
    "agent_resource",
    "agent_tool",
]


def test_the_public_names_are_these() -> None:
    assert toolway.__all__ == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_says_in_a_sentence_what_it_is(name: str) -> None:
    thing = getattr(toolway, name)
    words = inspect.cleandoc(thing.__doc__ or "")
    assert words.partition("\n\n")[0].rstrip().endswith((".", ":", "``."))
    assert not words.startswith("dict(")


@pytest.mark.parametrize("name", ["mount", "running", "catalog", "path", "refresh", "changed"])
def test_every_public_member_of_a_server_says_what_it_is(name: str) -> None:
    assert getattr(toolway.Toolway, name).__doc__


def test_every_setting_says_what_it_is() -> None:
    source = inspect.getsource(toolway.Settings)
    for name in toolway.Settings.model_fields:
        following = source[source.index(f"    {name}:") :].splitlines()[1]
        assert following.startswith('    """'), name


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("Error")])
def test_every_error_is_a_toolway_error(name: str) -> None:
    assert issubclass(getattr(toolway, name), toolway.ToolwayError)


def test_importing_brings_neither_the_sdk_nor_a_command_line_nor_rich_text() -> None:
    unwanted = {"mcp", "click", "typer", "rich", "uvicorn", "httpx", "httpx2", "jsonschema"}
    code = "import sys, toolway; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not unwanted.intersection(loaded)
