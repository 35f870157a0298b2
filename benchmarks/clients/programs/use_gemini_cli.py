"""Gemini CLI: `gemini mcp list`, which connects to each server of its settings. Calls would need a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from task import Task, given, tell

from toolway.clients import Launch, gemini_cli

_PATIENCE = 60_000
"""In milliseconds; five seconds are its own, in which a busy machine may not start a server."""


def main(task: Task) -> None:
    """Connect, over stdio with the block that `toolway config` prints."""
    servers = {"desk": {"httpUrl": task.url}} if task.url else block(task)["mcpServers"]
    patient = {name: {**entry, "timeout": _PATIENCE} for name, entry in servers.items()}
    settings = Path(".gemini", "settings.json")
    settings.parent.mkdir()
    settings.write_text(json.dumps({"mcpServers": patient}), encoding="utf-8")
    done = subprocess.run([*task.program, "mcp", "list"], capture_output=True, text=True, check=True)
    said = done.stdout + done.stderr
    if "✓ desk" not in said:
        sys.exit(said)
    tell()


def block(task: Task) -> Any:
    """Return what a user pastes."""
    return json.loads(gemini_cli(Launch("Desk", task.executable, tuple(task.args)))[0])


main(given())
