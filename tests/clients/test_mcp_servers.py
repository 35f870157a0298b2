"""Snippets for clients that list their servers in a JSON file: they work as printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.cli.shell import NOISY, toolway, write
from toolway.clients import CLIENTS, Launch

ERAS = [pytest.param("auto", "2026-07-28", id="2026-07-28"), pytest.param("legacy", "2025-11-25", id="2025-11-25")]
READING = """
from pathlib import Path
from fastapi import FastAPI

app = FastAPI()
at_first = Path("note.txt").read_text()

@app.get("/note")
async def note() -> str:
    assert Path("note.txt").read_text() == at_first
    return at_first
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "a folder", {"main.py": NOISY, "pyproject.toml": '[tool.toolway]\napp = "main:app"\n'})


@pytest.mark.parametrize(
    ("client", "file"),
    [
        ("claude-code", ".mcp.json"),
        ("claude-desktop", "claude_desktop_config.json"),
        ("gemini-cli", ".gemini/settings.json"),
    ],
)
def test_stdout_has_nothing_but_the_snippet(project: Path, tmp_path: Path, client: str, file: str) -> None:
    """Where to paste it is printed on stderr; the application is imported but not started."""
    done = toolway("config", client, "main:app", "--app-dir", "a folder", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "mcpServers": {
            "warehouse": {
                "command": sys.executable,
                "args": [
                    *("-P", "-m", "toolway", "stdio"),
                    *("--chdir", str(tmp_path), "--app-dir", str(project), "main:app"),
                ],
            }
        }
    }
    assert file in done.stderr
    assert "noise: import" in done.stderr
    assert "noise: start" not in done.stderr


@pytest.mark.anyio
@pytest.mark.parametrize(("mode", "version"), ERAS)
async def test_its_command_works_as_printed_from_another_folder(
    project: Path, tmp_path: Path, mode: str, version: str
) -> None:
    """Here ``pyproject.toml`` configures the application, and the command was run in a folder below it."""
    below = write(project, {"deep/note.txt": ""}) / "deep"
    elsewhere = write(tmp_path / "elsewhere", {"main.py": "raise RuntimeError('not this one')"})
    (entry,) = json.loads(toolway("config", "claude-desktop", cwd=below).stdout)["mcpServers"].values()
    started = StdioServerParameters(command=entry["command"], args=entry["args"], cwd=elsewhere)

    with (tmp_path / "log").open("w") as log:
        async with Client(stdio_client(started, errlog=log), mode=mode) as client:
            result = await client.call_tool("stock", {"product": "lamp"})

            assert client.protocol_version == version
    assert result.structured_content == {"product": "lamp", "pieces": 1}


@pytest.mark.anyio
@pytest.mark.parametrize("options", [[], ["--app-dir", "src"]], ids=["beside the application", "above it"])
async def test_its_command_works_in_the_folder_where_it_was_printed(tmp_path: Path, options: list[str]) -> None:
    """An application finds its ``.env``, its SQLite file and other relative paths there."""
    app = "src/main.py" if options else "main.py"
    here = write(tmp_path / "here", {app: READING, "note.txt": "here"})
    elsewhere = write(tmp_path / "elsewhere", {"note.txt": "elsewhere", "src/main.py": "raise RuntimeError"})
    (entry,) = json.loads(toolway("config", "claude-desktop", "main:app", *options, cwd=here).stdout)[
        "mcpServers"
    ].values()
    started = StdioServerParameters(command=entry["command"], args=entry["args"], cwd=elsewhere)

    async with Client(stdio_client(started)) as client:
        result = await client.call_tool("note", {})

    assert result.structured_content == "here"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Order desk", "order-desk"),
        ("FastAPI", "fastapi"),
        ("  API: v2 (beta)!  ", "api-v2-beta"),
        ("Café Zürich", "cafe-zurich"),
        ("Management of large warehouses", "management-of-large"),
        ("Donaudampfschifffahrtsgesellschaft", "donaudampfschifffahr"),
        ("倉庫", "toolway"),
        ("", "toolway"),
    ],
)
def test_a_server_gets_a_short_name_from_its_title(title: str, name: str) -> None:
    """Clients prefix tool names with it, and allow few characters."""
    snippet, _ = CLIENTS["claude-desktop"](Launch(title, "/python", ("-m", "toolway")))

    assert list(json.loads(snippet)["mcpServers"]) == [name]
