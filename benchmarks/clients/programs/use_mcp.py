"""The official Python client; the option `mode` selects the revision. It may connect through mcp-remote."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import ElicitResult
from task import Task, agreement, given, tell


async def main(task: Task) -> None:
    """Do what there is to do."""
    mode, asked = task.options["mode"], []

    async def agree(_: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content=agreement(params.requested_schema))

    async with Client(server(task, task.url), mode=mode) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool(task.tool, task.arguments)
        read = await client.read_resource(task.uri)
    async with Client(server(task, task.session_url), mode=mode, elicitation_callback=agree) as client:
        await client.call_tool(task.asking_tool, task.asking_arguments)
    names = [tool.name for tool in tools]
    tell(tools=names, answer=result.structured_content, text=read.contents[0].text, asked=asked)


def server(task: Task, url: str) -> str | StdioServerParameters:
    """Return what to connect to."""
    if task.program:
        executable, *args = task.program
        return StdioServerParameters(command=executable, args=[*args, url, "--allow-http"])
    return url or StdioServerParameters(command=task.executable, args=task.args)


asyncio.run(main(given()))
