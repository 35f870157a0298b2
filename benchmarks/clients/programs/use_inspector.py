"""The Inspector's command line, with `--strict`: it looks for schemas that some clients refuse. It cannot be asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from task import Task, given, tell

_CHATTER = "[mcp-inspector]"
_PATIENCE = "60000"
"""In milliseconds; its own is shorter than a busy machine may take to start a server."""


def main(task: Task) -> None:
    """Do what there is to do."""
    entry = (
        {"type": "streamable-http", "url": task.url}
        if task.url
        else {"type": "stdio", "command": task.executable, "args": task.args}
    )
    servers = {"mcpServers": {"desk": {**entry, **task.options}}}
    Path("inspector.json").write_text(json.dumps(servers), encoding="utf-8")
    tools = inspect(task, "tools/list", "--strict")["tools"]
    arguments = [f"{name}={value}" for name, value in task.arguments.items()]
    called = inspect(task, "tools/call", "--tool-name", task.tool, "--tool-arg", *arguments)
    read = inspect(task, "resources/read", "--uri", task.uri)
    tell(tools=[tool["name"] for tool in tools], answer=called["structuredContent"], text=read["contents"][0]["text"])


def inspect(task: Task, method: str, *options: str) -> Any:
    """Return the result of a method; a word on the standard error counts as a failure, a warning of --strict too."""
    command = [*task.program, "--cli", "--config", "inspector.json", "--server", "desk", "--format", "json"]
    command += ["--connect-timeout", _PATIENCE, "--method", method, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    words = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith(_CHATTER)]
    if done.returncode or words:
        sys.exit(f"exit code {done.returncode}: {' '.join(words)}")
    answer = json.loads(done.stdout)
    return answer.get("result", answer)


main(given())
