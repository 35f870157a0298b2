"""Claude Desktop: a JSON file with a command per server; it starts servers from a folder of its own choice."""

from __future__ import annotations

import json

from toolway.clients.launch import Launch

__all__ = ["WHERE", "claude_desktop"]

WHERE = (
    "Paste this into Claude Desktop's configuration (Settings > Developer > Edit Config) and start it again. "
    "The file is ~/Library/Application Support/Claude/claude_desktop_config.json on macOS and "
    "%APPDATA%\\Claude\\claude_desktop_config.json on Windows; if it has 'mcpServers' already, add the entry there."
)


def claude_desktop(launch: Launch) -> tuple[str, str]:
    """Return the block to paste, and where it goes."""
    entry = {"command": launch.command, "args": list(launch.args)}
    return json.dumps({"mcpServers": {launch.name: entry}}, indent=2, ensure_ascii=False), WHERE
