"""FastMCP's client."""

from __future__ import annotations

import asyncio
from typing import Any

from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport
from task import Task, agreement, given, tell


async def main(task: Task) -> None:
    """Do what there is to do."""
    asked = []

    async def agree(message: str, _: Any, params: Any, __: Any) -> ElicitResult:
        asked.append(message)
        return ElicitResult(action="accept", content=agreement(params.requested_schema))

    async with Client(server(task, task.url)) as client:
        tools = await client.list_tools()
        result = await client.call_tool(task.tool, task.arguments)
        (read,) = await client.read_resource(task.uri)
    async with Client(server(task, task.session_url), elicitation_handler=agree) as client:
        await client.call_tool(task.asking_tool, task.asking_arguments)
    tell(tools=[tool.name for tool in tools], answer=result.structured_content, text=read.text, asked=asked)


def server(task: Task, url: str) -> str | StdioTransport:
    """Return what to connect to."""
    return url or StdioTransport(command=task.executable, args=task.args)


asyncio.run(main(given()))
