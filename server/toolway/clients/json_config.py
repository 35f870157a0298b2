"""Clients that keep their servers in a JSON file, each with a command below ``mcpServers``."""

from __future__ import annotations

import json

from toolway.clients.launch import Launch

__all__ = ["claude_code", "claude_desktop", "gemini_cli"]

_ADD = "if it has 'mcpServers' already, add the entry there."


def claude_code(launch: Launch) -> tuple[str, str]:
    """Return the block to paste, and where it goes."""
    return _block(
        launch
    ), f"Paste this into .mcp.json in your project's folder; {_ADD} Claude Code asks you to approve it."


def claude_desktop(launch: Launch) -> tuple[str, str]:
    """Return the block to paste, and where it goes."""
    return _block(launch), (
        "Paste this into Claude Desktop's configuration (Settings > Developer > Edit Config) and start it again. "
        "The file is ~/Library/Application Support/Claude/claude_desktop_config.json on macOS and "
        f"%APPDATA%\\Claude\\claude_desktop_config.json on Windows; {_ADD}"
    )


def gemini_cli(launch: Launch) -> tuple[str, str]:
    """Return the block to paste, and where it goes."""
    return _block(launch), (
        f"Paste this into ~/.gemini/settings.json, or .gemini/settings.json in your project's folder; {_ADD} "
        "`gemini mcp list` shows whether it connects, which it does only from folders that you trust."
    )


def _block(launch: Launch) -> str:
    entry: dict[str, object] = {"command": launch.command, "args": list(launch.args)}
    if launch.env:
        entry["env"] = dict(launch.env)
    return json.dumps({"mcpServers": {launch.name: entry}}, indent=2, ensure_ascii=False)
