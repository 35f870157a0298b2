"""LangChain's adapters, which make a LangChain tool of each tool of the server."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp.types import ElicitResult
from task import Task, agreement, given, tell


async def main(task: Task) -> None:
    """Do what there is to do."""
    asked = []

    async def agree(_: Any, params: Any, __: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content=agreement(params.requestedSchema))

    client = MultiServerMCPClient({"desk": server(task, task.url)})
    tools = {tool.name: tool for tool in await client.get_tools()}
    message = await tools[task.tool].ainvoke(call(task.tool, task.arguments))
    (read,) = await client.get_resources("desk", uris=task.uri)
    client = MultiServerMCPClient({"desk": server(task, task.session_url)}, callbacks=Callbacks(on_elicitation=agree))
    second = {tool.name: tool for tool in await client.get_tools()}
    await second[task.asking_tool].ainvoke(call(task.asking_tool, task.asking_arguments))
    tell(tools=list(tools), answer=message.artifact["structured_content"], text=read.as_string(), asked=asked)


def server(task: Task, url: str) -> dict[str, Any]:
    """Return what to connect to."""
    if url:
        return {"transport": "streamable_http", "url": url}
    return {"transport": "stdio", "command": task.executable, "args": task.args}


def call(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write a call as a model writes it."""
    return {"type": "tool_call", "id": "1", "name": tool, "args": arguments}


asyncio.run(main(given()))
