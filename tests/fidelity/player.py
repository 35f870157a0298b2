"""Playing a suite: every case as a tool call and as the plain HTTP request, one after the other."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import TextContent, Tool

from tests.fidelity.case import Absent, Case, Chapter
from tests.fidelity.judge import Called, Requested, call_problems, schema_problems
from tests.fidelity.spelling import spelled

__all__ = ["Caller", "Journals", "Oracle", "Verdict", "over_http", "play", "web_client"]

Oracle: TypeAlias = dict[tuple[str, str], Requested]
"""How the plain request of each chapter's case ended; played once, it serves every way of calling."""

_PATIENCE = 30
"""Seconds for one call; whoever takes longer hangs."""
_BEGINNING = 10
"""Bytes of an endless answer that are compared."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case; no problems means that the call was the request."""

    chapter: str
    name: str
    problems: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return not self.problems


@dataclass
class Caller(httpx2.Auth):
    """What the requests of a client carry besides what the client sends, changed from case to case."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
        request.headers.update([(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()])
        if self.query:
            request.url = request.url.copy_merge_params(self.query)
        yield request

    @contextmanager
    def acting_for(self, case: Case) -> Generator[None]:
        """Call as a case asks; its journal is read without that, as an application may refuse such a caller."""
        self.headers, self.query = case.credentials, case.credential_query
        try:
            yield
        finally:
            self.headers, self.query = {}, {}


@dataclass(frozen=True, slots=True)
class Journals:
    """Where the application behind the tools, and the one behind the web client, tell what they did."""

    of_calls: Callable[[], Any]
    of_requests: Callable[[], Any]


def web_client(url: str, caller: Caller) -> httpx2.AsyncClient:
    """Return the client that sends the plain requests; it follows redirects, as people do.

    Each request has a connection of its own, because uvicorn closes one on which an application has failed.
    """
    single = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.AsyncClient(base_url=url, auth=caller, follow_redirects=True, timeout=_PATIENCE, limits=single)


@asynccontextmanager
async def over_http(url: str, mode: str, caller: Caller) -> AsyncGenerator[Client]:
    """Connect to an MCP server; its requests carry the caller's credentials."""
    async with (
        httpx2.AsyncClient(auth=caller, timeout=3 * _PATIENCE, follow_redirects=True) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


@dataclass
class Player:
    """A server to be judged, and the application itself."""

    client: Client
    web: httpx2.AsyncClient
    caller: Caller
    journals: Journals
    tools: Mapping[str, Tool]
    oracle: Oracle

    async def verdict(self, chapter: str, case: Case | Absent) -> Verdict:
        """Say what became of one case."""
        if isinstance(case, Absent):
            return Verdict(chapter, case.name, tuple(self._absent(case)))
        return Verdict(chapter, case.name, tuple([text async for text in self._problems(chapter, case)]))

    def _absent(self, case: Absent) -> list[str]:
        return [f"{name} is listed" for name in case.tools if name in self.tools]

    async def _problems(self, chapter: str, case: Case) -> AsyncGenerator[str]:
        key = chapter, case.name
        if key not in self.oracle:
            self.oracle[key] = await self._requested(case)
        requested = self.oracle[key]
        tool = next((self.tools[name] for name in (case.tool, *case.also_called) if name in self.tools), None)
        if tool is None:
            yield "not listed"
            return
        arguments = spelled(case, tool.input_schema)
        for problem in schema_problems(case, tool, arguments, requested.response.status_code):
            yield problem
        try:
            called = await self._called(case, tool, arguments)
        except Exception as error:  # whatever a server or the client makes of it
            yield f"the call raised {type(error).__name__}: {str(error)[:200]}"
            await self.journals.of_calls()
            return
        for problem in call_problems(case, tool, called, requested):
            yield problem

    async def _requested(self, case: Case) -> Requested:
        self.web.cookies.clear()  # a call brings none along either
        body, is_broken = b"", False
        with self.caller.acting_for(case):
            async with self.web.stream(case.method, case.url, **case.request) as response:
                try:
                    body = await _beginning(response) if case.is_endless else await response.aread()
                except httpx2.RemoteProtocolError:  # the application gave up on its own answer
                    is_broken = True
        return Requested(response, body, await self.journals.of_requests(), is_broken)

    async def _called(self, case: Case, tool: Tool, arguments: Mapping[str, Any]) -> Called:
        with anyio.fail_after(_PATIENCE), self.caller.acting_for(case):
            result = await self.client.call_tool(tool.name, dict(arguments))
        return Called(result, await self.journals.of_calls())


async def _beginning(response: httpx2.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= _BEGINNING:
            break
    return body


async def play(
    client: Client,
    web: httpx2.AsyncClient,
    caller: Caller,
    chapters: Iterable[Chapter],
    *,
    shares_application: bool = True,
    oracle: Oracle | None = None,
    progress: Callable[[Verdict], None] = lambda _: None,
) -> Sequence[Verdict]:
    """Play every case and return what became of it.

    `shares_application` says that the tools and the web client reach the same running application; otherwise the one
    behind the tools is asked for its journal through its own tool. Requests that `oracle` knows are not sent again.
    """

    async def of_requests() -> Any:
        return (await web.get("/journal")).json()

    async def of_calls() -> Any:
        (block,) = (await client.call_tool("journal", {})).content
        assert isinstance(block, TextContent)
        return json.loads(block.text)

    journals = Journals(of_requests if shares_application else of_calls, of_requests)
    player = Player(client, web, caller, journals, await listed(client), {} if oracle is None else oracle)
    for emptied in (journals.of_calls, journals.of_requests):  # whoever came before has left something, too
        await emptied()
    verdicts: list[Verdict] = []
    for chapter in chapters:
        for case in chapter.cases:
            verdicts.append(await player.verdict(chapter.title, case))
            progress(verdicts[-1])
    return verdicts


async def listed(client: Client) -> dict[str, Tool]:
    """Return all tools of a server by name, page by page."""
    tools: dict[str, Tool] = {}
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools.update((tool.name, tool) for tool in page.tools)
        cursor = page.next_cursor
        if cursor is None:
            return tools
