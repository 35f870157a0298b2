"""Claude Code: `claude mcp list`, which connects to each server that it has. Calls would need a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from task import Task, given, tell

from toolway.clients import Launch, claude_code


def main(task: Task) -> None:
    """Connect, over stdio with the block that `toolway config` prints."""
    if task.url:
        claude(task, "mcp", "add", "--transport", "http", "desk", task.url)
    else:
        block, _ = claude_code(Launch("Desk", task.executable, tuple(task.args)))
        Path(".mcp.json").write_text(block, encoding="utf-8")
        approve("desk")
    health = claude(task, "mcp", "list")
    if "✔ Connected" not in health:
        sys.exit(health)
    tell()


def approve(name: str) -> None:
    """Approve the server of the project in the settings, as a user does when asked."""
    settings = Path(".claude", "settings.local.json")
    settings.parent.mkdir()
    settings.write_text(json.dumps({"enabledMcpjsonServers": [name]}), encoding="utf-8")


def claude(task: Task, *arguments: str) -> str:
    """Return the output of a command."""
    return subprocess.run([*task.program, *arguments], capture_output=True, text=True, check=True).stdout


main(given())
