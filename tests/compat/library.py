"""The application under test, a small library, and helpers that call its tools."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Request
from mcp import Client
from mcp_types import TextContent, Tool
from pydantic import BaseModel

from tests.servers import serving


class Book(BaseModel):
    number: int
    title: str


def make_library(**options: Any) -> FastAPI:
    app = FastAPI(title="Library", description="Finds books.", version="3.1", **options)

    @app.get("/books", tags=["reading"], operation_id="list_books")
    async def books(limit: int = 10) -> list[Book]:
        """List the books on the shelf."""
        return [Book(number=1, title="Dune"), Book(number=2, title="Emma")][:limit]

    @app.get("/books/{number}", tags=["reading"], operation_id="get_book", responses={404: {"description": "No book."}})
    async def book(number: int) -> Book:
        """Look at one book."""
        if number != 1:
            raise HTTPException(404, f"No book has the number {number}")
        return Book(number=1, title="Dune")

    @app.delete("/books/{number}", tags=["staff"], operation_id="remove_book")
    async def remove(number: int) -> Book:
        """Take a book off the shelf."""
        return Book(number=number, title="Dune")

    @app.get("/whoami", tags=["staff"])
    async def whoami(request: Request, authorization: Annotated[str | None, Header()] = None) -> dict[str, str]:
        names = ("authorization", "x-tenant", "x-other", "cookie")
        return {name: request.headers[name] for name in names if name in request.headers}

    return app


ALL = {"list_books", "get_book", "remove_book", "whoami_whoami_get"}


async def tools_at(app: FastAPI, path: str = "/mcp", **client: Any) -> dict[str, Tool]:
    """Serve an application, and list the tools at one of its paths."""
    with serving(app) as base:
        async with Client(base + path, **client) as connected:
            return {tool.name: tool for tool in (await connected.list_tools()).tools}


async def called(app: FastAPI, name: str, path: str = "/mcp", **arguments: Any) -> Any:
    """Serve an application, call a tool, and return its structured content, or its text."""
    with serving(app) as base:
        async with Client(base + path) as client:
            result = await client.call_tool(name, arguments)
            assert isinstance(result.content[0], TextContent)
            return result.structured_content if not result.is_error else result.content[0].text
