"""The clients with their versions and requirements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["CLIENTS", "TRANSPORTS", "Client"]

TRANSPORTS = ("http", "stdio")


@dataclass(frozen=True, kw_only=True)
class Client:
    """One client in one configuration."""

    name: str
    title: str
    package: str
    environment: str | None = None
    """The folder of its environment below `var`; None for the project's own."""
    requirements: tuple[str, ...] = ()
    on_node: bool = False
    """Whether the requirements are npm packages."""
    module: str
    """The program in `programs`; with its suffix where it is not Python's."""
    command: str | None = None
    """The script in the npm environment that a Python program runs."""
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    transports: tuple[str, ...] = TRANSPORTS
    remark: str = ""


_CONNECTS = "only connects; a call would need a model"
_TYPESCRIPT: dict[str, Any] = {
    "on_node": True,
    "environment": "clients/typescript",
    "requirements": (
        "@modelcontextprotocol/sdk@1.32.2",
        "@modelcontextprotocol/client@2.4.0",
        "mcp-remote@0.15.1",
    ),
}
_TYPESCRIPT_2: dict[str, Any] = {
    **_TYPESCRIPT,
    "package": "@modelcontextprotocol/client",
    "module": "use_typescript_2.mjs",
}
_INSPECTOR: dict[str, Any] = {
    "package": "@modelcontextprotocol/inspector",
    "on_node": True,
    "environment": "clients/inspector",
    "requirements": ("@modelcontextprotocol/inspector@2.12.0",),
    "module": "use_inspector.py",
    "command": "@modelcontextprotocol/inspector/clients/launcher/build/index.js",
    "remark": "`tools/list --strict` finds no problem",
}
_MCP_REMOTE: dict[str, Any] = {
    **_TYPESCRIPT,
    "package": "mcp-remote",
    "module": "use_mcp.py",
    "command": "mcp-remote/dist/proxy.js",
    "transports": ("http",),
}

CLIENTS = (
    Client(
        name="python-auto",
        title="Python SDK",
        package="mcp",
        module="use_mcp.py",
        options={"mode": "auto"},
    ),
    Client(
        name="python-legacy",
        title='Python SDK, `mode="legacy"`',
        package="mcp",
        module="use_mcp.py",
        options={"mode": "legacy"},
    ),
    Client(
        name="python-pinned",
        title='Python SDK, `mode="2026-07-28"`',
        package="mcp",
        module="use_mcp.py",
        options={"mode": "2026-07-28"},
    ),
    Client(
        name="fastmcp",
        title="FastMCP",
        package="fastmcp",
        environment="clients/python",
        requirements=("fastmcp==4.2.3", "openai-agents==0.24.0", "mcp==2.3.0"),
        module="use_fastmcp.py",
    ),
    Client(
        name="pydantic-ai",
        title="pydantic-ai",
        package="pydantic-ai-slim",
        module="use_pydantic_ai.py",
        remark="an agent with a scripted model",
    ),
    Client(
        name="openai-agents",
        title="OpenAI Agents SDK",
        package="openai-agents",
        environment="clients/python",
        requirements=("fastmcp==4.2.3", "openai-agents==0.24.0", "mcp==2.3.0"),
        module="use_openai_agents.py",
    ),
    Client(
        name="langchain",
        title="langchain-mcp-adapters",
        package="langchain-mcp-adapters",
        environment="clients/langchain",
        requirements=("langchain-mcp-adapters==0.3.2", "mcp==1.30.0"),
        module="use_langchain.py",
        remark="a connection for each call; on the Python SDK 1.x",
    ),
    Client(
        name="typescript-1",
        title="TypeScript SDK 1.x",
        package="@modelcontextprotocol/sdk",
        module="use_typescript_1.mjs",
        **_TYPESCRIPT,
    ),
    Client(name="typescript-2", title="TypeScript SDK 2.x", **_TYPESCRIPT_2),
    Client(
        name="typescript-2-auto",
        title='TypeScript SDK 2.x, `mode: "auto"`',
        options={"mode": "auto"},
        **_TYPESCRIPT_2,
    ),
    Client(
        name="typescript-2-pinned",
        title='TypeScript SDK 2.x, `mode: {pin: "2026-07-28"}`',
        options={"mode": {"pin": "2026-07-28"}},
        **_TYPESCRIPT_2,
    ),
    Client(name="inspector", title="Inspector, command line", **_INSPECTOR),
    Client(
        name="inspector-auto",
        title='Inspector, command line, `protocolEra: "auto"`',
        options={"protocolEra": "auto"},
        **_INSPECTOR,
    ),
    Client(
        name="mcp-remote",
        title="mcp-remote, for a client of MCP 2025-11-25",
        options={"mode": "legacy"},
        **_MCP_REMOTE,
    ),
    Client(
        name="mcp-remote-auto",
        title="mcp-remote, for a client of all revisions",
        options={"mode": "auto"},
        **_MCP_REMOTE,
    ),
    Client(
        name="claude-code",
        title="Claude Code, `claude mcp list`",
        package="@anthropic-ai/claude-code",
        environment="clients/claude-code",
        requirements=("@anthropic-ai/claude-code@2.1.332",),
        on_node=True,
        module="use_claude_code.py",
        command="@anthropic-ai/claude-code/cli-wrapper.cjs",
        remark=_CONNECTS,
    ),
    Client(
        name="gemini-cli",
        title="Gemini CLI, `gemini mcp list`",
        package="@google/gemini-cli",
        environment="clients/gemini-cli",
        requirements=("@google/gemini-cli@0.61.0",),
        on_node=True,
        module="use_gemini_cli.py",
        command="@google/gemini-cli/bundle/gemini.js",
        remark=_CONNECTS,
    ),
)
