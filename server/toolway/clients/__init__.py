"""Configuration snippets for MCP clients."""

from toolway.clients.json_config import claude_code, claude_desktop, gemini_cli
from toolway.clients.launch import Launch, needed_environment, server_name

__all__ = ["CLIENTS", "Launch", "claude_code", "claude_desktop", "gemini_cli", "needed_environment", "server_name"]

CLIENTS = {"claude-code": claude_code, "claude-desktop": claude_desktop, "gemini-cli": gemini_cli}
"""Functions that return a client's snippet and where to paste it, by the client's name on the command line."""
