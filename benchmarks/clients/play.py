"""One client, over one transport: give its program the task, and compare its report with what the server received."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.clients import relay
from benchmarks.clients.desk import Desk
from benchmarks.clients.entries import Client
from benchmarks.clients.record import Seen
from benchmarks.clients.recorder import Heard, heard_in, revision_of
from benchmarks.environments import NODE, packages_of, python_of

__all__ = ["play"]

_PROGRAMS = Path(__file__).parent / "programs"
_PATIENCE = 240
_ERROR = re.compile(r"[\w.]*(Error|Exception)\b.*:")
_VARIABLES = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "GEMINI_CLI_TRUST_WORKSPACE": "true",
    "GEMINI_TELEMETRY_ENABLED": "false",
    "MCP_INSPECTOR_SECRET_STORE": "memory",
    "MCP_TIMEOUT": "60000",  # Claude Code's, in milliseconds
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
}
"""The environment of a client, in addition to PATH and HOME, without the settings and keys of a user."""


def play(client: Client, transport: str, desk: Desk) -> Seen:
    """Connect a client, run all of its steps, and return the results.

    Raises:
        NotInstalledError: its environment could not be made.
    """
    with tempfile.TemporaryDirectory(prefix="toolway-client-") as folder:
        lines = Path(folder, "heard.jsonl")
        order_id = next(desk.pending)
        told, problem = _told(client, _task(client, transport, desk, order_id, lines), Path(folder))
        heard = desk.recorder.heard[_name(client, transport)] if transport == "http" else _heard_in(lines)
    return Seen(
        revision=revision_of(heard),
        methods=list(dict.fromkeys(message.method for message in heard)),
        listed=sorted(told["tools"]) == sorted(desk.tools) if "tools" in told else None,
        called=told["answer"] == desk.answer if "answer" in told else None,
        read=told["text"] == desk.text if "text" in told else None,
        confirmed=len(told["asked"]) == 1 and desk.is_cancelled(order_id) if "asked" in told else None,
        problem=problem,
    )


def _task(client: Client, transport: str, desk: Desk, order_id: str, lines: Path) -> dict[str, Any]:
    over_http, name = transport == "http", _name(client, transport)
    return {
        "url": desk.url(name) if over_http else "",
        "session_url": desk.session_url(name) if over_http else "",
        "command": [] if over_http else [sys.executable, relay.__file__, desk.store_url, str(lines)],
        "tool": desk.tool,
        "arguments": desk.arguments,
        "uri": desk.uri,
        "asking_tool": "cancel_pending_order",
        "asking_arguments": {"order_id": order_id, "reason": "no longer needed"},
        "options": client.options,
        "program": [str(NODE), str(packages_of(client) / client.command)] if client.command else [],
    }


def _name(client: Client, transport: str) -> str:
    return f"{client.name}-{transport}"


def _told(client: Client, task: dict[str, Any], folder: Path) -> tuple[dict[str, Any], str]:
    """Run a client's program; return its report, or the last line of its output before it failed."""
    environment = {"PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder), **_VARIABLES}
    command = [*_runner(client), json.dumps(task)]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        return {}, f"it was not done after {_PATIENCE} seconds"
    if done.returncode:
        return {}, _last_word(done.stderr)
    return json.loads(done.stdout.splitlines()[-1]), ""


def _last_word(text: str) -> str:
    """Return the line that names an error, which precedes the stack in Node, or else the last line."""
    lines = [line.strip() for line in reversed(text.splitlines()) if line.strip()]
    return next(filter(_ERROR.match, lines), lines[0] if lines else "no word why")


def _runner(client: Client) -> list[str]:
    if not client.module.endswith(".mjs"):
        python = sys.executable if client.on_node else python_of(client)
        return [str(python), str(_PROGRAMS / client.module)]
    # Node looks for packages from the folder of the program.
    program = packages_of(client).parent / client.module
    shutil.copy(_PROGRAMS / client.module, program)
    return [str(NODE), str(program)]


def _heard_in(lines: Path) -> list[Heard]:
    return heard_in(lines.read_bytes().splitlines()) if lines.exists() else []
