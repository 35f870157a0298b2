"""A program that runs in FastMCP's environment: rank tools for queries with its search transform, through its client.

It reads ``{"tools": [...], "queries": [...], "limit": 20}`` and writes the names that each query finds, and the seconds
that one query took on average.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from fastmcp import Client, FastMCP
from fastmcp.server.transforms.search import BM25SearchTransform
from fastmcp.tools.base import Tool


async def main() -> None:
    asked = json.load(sys.stdin)
    transform = BM25SearchTransform(
        max_results=asked["limit"], search_result_serializer=lambda tools: json.dumps([tool.name for tool in tools])
    )
    server = FastMCP("search", transforms=[transform])
    for tool in asked["tools"]:
        schema = {**tool["parameters"], "type": "object"}
        server.add_tool(Tool(name=tool["name"], description=tool["description"], parameters=schema))
    found: list[list[str]] = []
    started = time.perf_counter()
    async with Client(server) as client:
        for query in asked["queries"]:
            result = await client.call_tool("search_tools", {"query": query})
            found.append(json.loads(result.content[0].model_dump()["text"]))
    seconds = (time.perf_counter() - started) / max(1, len(found))
    print(json.dumps({"found": found, "seconds": seconds}))


asyncio.run(main())
