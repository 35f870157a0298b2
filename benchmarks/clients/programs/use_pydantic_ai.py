"""A pydantic-ai agent with the server as its toolset, and a script where its model would be."""

from __future__ import annotations

import asyncio
from typing import Any

from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from task import Task, agreement, given, tell

_PATIENCE = 60
"""In seconds; its own is shorter than a busy machine may take to start a server."""


class Script:
    """A model that calls one tool and is content with the result."""

    def __init__(self, tool: str, arguments: dict[str, Any]) -> None:
        self.tools: list[str] = []
        self.answer: Any = None
        self._call = ToolCallPart(tool, arguments)

    def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        """Decide what comes next."""
        self.tools = [tool.name for tool in info.function_tools]
        returned = [part.content for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
        if not returned:
            return ModelResponse(parts=[self._call])
        self.answer = returned[0]
        return ModelResponse(parts=[TextPart("done")])


async def main(task: Task) -> None:
    """Do what there is to do."""
    asked = []

    async def agree(message: str, _: Any, params: Any, __: Any) -> ElicitResult:
        asked.append(message)
        return ElicitResult(action="accept", content=agreement(params.requested_schema))

    script = Script(task.tool, task.arguments)
    toolset = MCPToolset(server(task, task.url), init_timeout=_PATIENCE)
    async with toolset:
        await Agent(FunctionModel(script), toolsets=[toolset]).run("Look it up.")
        text = await toolset.read_resource(task.uri)
    second = Script(task.asking_tool, task.asking_arguments)
    toolset = MCPToolset(server(task, task.session_url), init_timeout=_PATIENCE, elicitation_handler=agree)
    await Agent(FunctionModel(second), toolsets=[toolset]).run("Cancel it.")
    tell(tools=script.tools, answer=script.answer, text=text, asked=asked)


def server(task: Task, url: str) -> str | StdioTransport:
    """Return what to connect to."""
    return url or StdioTransport(command=task.executable, args=task.args)


asyncio.run(main(given()))
