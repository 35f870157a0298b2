"""Snippets for clients that list their servers in a JSON file, below ``mcpServers``."""

from __future__ import annotations

import json

from toolway.clients.launch import Launch

__all__ = ["claude_code", "claude_desktop", "gemini_cli"]

_ADD = "If the file already has 'mcpServers', add the entry there."


def claude_code(launch: Launch) -> tuple[str, str]:
    """Return the snippet for Claude Code, and where to paste it."""
    return _block(launch), (
        f"Paste this into .mcp.json in your project folder. {_ADD} Claude Code asks you to approve the server."
    )


def claude_desktop(launch: Launch) -> tuple[str, str]:
    """Return the snippet for Claude Desktop, and where to paste it."""
    return _block(launch), (
        "Paste this into Claude Desktop's configuration (Settings > Developer > Edit Config) and restart it. "
        "The file is ~/Library/Application Support/Claude/claude_desktop_config.json on macOS and "
        f"%APPDATA%\\Claude\\claude_desktop_config.json on Windows. {_ADD}"
    )


def gemini_cli(launch: Launch) -> tuple[str, str]:
    """Return the snippet for Gemini CLI, and where to paste it."""
    return _block(launch), (
        f"Paste this into ~/.gemini/settings.json, or .gemini/settings.json in your project folder. {_ADD} "
        "Check the connection with `gemini mcp list`; Gemini CLI connects only in folders that you trust."
    )


def _block(launch: Launch) -> str:
    entry: dict[str, object] = {"command": launch.command, "args": list(launch.args)}
    if launch.env:
        entry["env"] = dict(launch.env)
    return json.dumps({"mcpServers": {launch.name: entry}}, indent=2, ensure_ascii=False)
