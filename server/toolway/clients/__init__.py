"""The blocks that people paste into MCP clients."""

from toolway.clients.claude_desktop import claude_desktop
from toolway.clients.launch import Launch

__all__ = ["CLIENTS", "Launch", "claude_desktop"]

CLIENTS = {"claude-desktop": claude_desktop}
"""Client name, as the command line knows it, to what makes its block."""
