"""The MCP servers of the OpenAI Agents SDK, without an agent. They cannot be asked."""

from __future__ import annotations

import asyncio

from agents.mcp import MCPServerStdio, MCPServerStreamableHttp
from task import Task, given, tell

_PATIENCE = 60
"""In seconds; its own is shorter than a busy machine may take to start a server."""


async def main(task: Task) -> None:
    """Do what there is to do."""
    server = (
        MCPServerStreamableHttp(params={"url": task.url}, client_session_timeout_seconds=_PATIENCE)
        if task.url
        else MCPServerStdio(
            params={"command": task.executable, "args": task.args}, client_session_timeout_seconds=_PATIENCE
        )
    )
    async with server:
        tools = await server.list_tools()
        result = await server.call_tool(task.tool, task.arguments)
        read = await server.read_resource(task.uri)
    tell(tools=[tool.name for tool in tools], answer=result.structured_content, text=read.contents[0].text)


asyncio.run(main(given()))
