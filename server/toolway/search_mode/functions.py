"""What ``search_tools`` and ``describe_tools`` do, and what ``call_tool`` answers if it cannot call a tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from toolway.calls import CALL_TOOL, BuiltInFunction, CallContext, Invoker, Outcome
from toolway.catalog import Catalog, EndpointTool, Tool
from toolway.catalog.schema.lean import first_sentence
from toolway.catalog.search import SearchIndex, index_fields
from toolway.catalog.search.embeddings import load_embeddings
from toolway.catalog.stubs import write_signature
from toolway.errors import ArgumentError
from toolway.search_mode.agent_tools import DESCRIBE_TOOLS, SEARCH_TOOLS

__all__ = ["RankedTool", "SearchFunctions", "rank_tools", "with_signature"]

_MOST_DESCRIBED = 20
_MOST_TAGS = 20
_NEAREST = 5
_MOST_SIGNATURES = 5
_LONGEST_NAME = 100
_MOST_SCANNED = 1000


class _Search(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    query: str = Field(max_length=1000)
    limit: int = Field(default=10, ge=1, le=50)
    tags: list[str] | None = None


class _Describe(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    names: list[str] = Field(min_length=1, max_length=_MOST_DESCRIBED)
    json_schema: bool = False


_ArgumentsT = TypeVar("_ArgumentsT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class RankedTool:
    """A tool that a search has found."""

    tool: EndpointTool
    score: float
    words: Mapping[str, float]
    """The part of the score that each word of the query adds; ``~`` is the similarity of the embeddings."""


class SearchFunctions:
    """The functions for one server; the index of its tools is built at the first search, and kept."""

    def __init__(self) -> None:
        self._invoker: Invoker | None = None
        self._catalog: Catalog | None = None
        self._index: tuple[SearchIndex, Sequence[EndpointTool]] | None = None

    def offer(self, catalog: Catalog, invoker: Invoker) -> None:
        """Search the tools of this catalog from now on."""
        self._catalog, self._invoker, self._index = catalog, invoker, None

    def by_name(self, tools: Iterable[str]) -> dict[str, BuiltInFunction]:
        """Return the functions by the names of their tools, among those of the server's own tools."""
        functions = {SEARCH_TOOLS: self.search, DESCRIBE_TOOLS: self.describe, CALL_TOOL: self.explain_call}
        usual = {name: name.removeprefix("toolway_") for name in tools}
        return {name: functions[known] for name, known in usual.items() if known in functions}

    async def search(self, arguments: Mapping[str, Any], context: CallContext) -> Outcome:
        """Return the best tools for a query, with the arguments that each requires.

        Raises:
            ArgumentError: the arguments are not valid.
        """
        wanted = _parse(_Search, arguments)
        visible = self._visible(context)
        tags = None if wanted.tags is None else frozenset(wanted.tags)
        found = [
            tool
            for tool in await self._rank(wanted.query)
            if tool.name in visible and (tags is None or tags & set(tool.operation.tags))
        ]
        writes_code = self._invoker is not None and self._invoker.mode(context.query) == "code"
        shown = [_summarize(tool) for tool in found[: wanted.limit]]
        if writes_code:  # a program needs the types of results, and there is no describe_tools
            shown[:_MOST_SIGNATURES] = [_with_signature(tool) for tool in found[: len(shown)][:_MOST_SIGNATURES]]
        hint = (
            _hint(len(found), len(shown), writes_code=writes_code)
            if found
            else await self._explain_no_match(wanted, visible)
        )
        return Outcome(structured=to_json({"tools": shown, "total": len(found), "hint": hint}), status=200)

    async def describe(self, arguments: Mapping[str, Any], context: CallContext) -> Outcome:
        """Return the signatures of tools.

        Raises:
            ArgumentError: the arguments are not valid, or a tool does not exist.
        """
        wanted = _parse(_Describe, arguments)
        visible = self._visible(context)
        tools = [self._find(name, visible) for name in wanted.names]
        described = [_describe(tool, with_schemas=wanted.json_schema) for tool in tools]
        return Outcome(structured=to_json({"tools": described}), status=200)

    async def explain_call(self, arguments: Mapping[str, Any], context: CallContext) -> Outcome:
        """Explain why ``call_tool`` could not call a tool; calls that it can make do not come here.

        Raises:
            ArgumentError: always.
        """
        name = arguments.get("name")
        if not isinstance(name, str):
            raise ArgumentError("name: expected the name of a tool")
        tool = self._find(name, self._visible(context))
        if unknown := arguments.keys() - {"name", "arguments", "fields"}:
            raise ArgumentError(f"unknown argument {min(unknown)!r}; the arguments of the tool belong into 'arguments'")
        raise ArgumentError(f"arguments: expected an object with the arguments of the tool:\n{write_signature(tool)}")

    async def _rank(self, query: str) -> Sequence[EndpointTool]:
        index, tools = await self._read_index()
        if not query.strip():
            return tools
        return [tools[match.document] for match in index.search(query, _MOST_SCANNED)]

    async def _read_index(self) -> tuple[SearchIndex, Sequence[EndpointTool]]:
        """Return the index of the current catalog; the first call builds it in a thread."""
        if self._index is None:
            tools = list(self._catalog.tools.values()) if self._catalog is not None else []
            self._index = await to_thread.run_sync(_build_index, tools), tools
        return self._index

    def _visible(self, context: CallContext) -> Mapping[str, EndpointTool]:
        return {} if self._invoker is None else self._invoker.shown(context)

    def _find(self, name: str, visible: Mapping[str, EndpointTool]) -> EndpointTool:
        if name in visible:
            return visible[name]
        near = ", ".join(get_close_matches(name[:_LONGEST_NAME], visible, n=_NEAREST))
        raise ArgumentError(
            f"unknown tool {name[:_LONGEST_NAME]!r}; "
            + (f"the nearest names are {near}" if near else f"find one with {SEARCH_TOOLS}")
        )

    async def _explain_no_match(self, wanted: _Search, visible: Mapping[str, EndpointTool]) -> str:
        """Return the nearest names and the tags, for a search without a match."""
        index, _ = await self._read_index()
        words = index.nearest_words(wanted.query)
        near = [name for name in visible if any(word in name.lower() for word in words)][:_NEAREST]
        near = near or get_close_matches(wanted.query[:_LONGEST_NAME], visible, n=_NEAREST, cutoff=0.3)
        tags = Counter(tag for tool in visible.values() for tag in tool.operation.tags).most_common(_MOST_TAGS)
        parts = [f"No tool matches {wanted.query!r}."]
        if near:
            parts.append(f"The nearest names are {', '.join(near)}.")
        if tags:
            parts.append(f"The tags are {', '.join(f'{tag} ({count})' for tag, count in tags)}.")
        return (
            " ".join(parts) if near or tags else f"{parts[0]} Some of the tools: {', '.join(list(visible)[:_NEAREST])}."
        )


def rank_tools(tools: Sequence[EndpointTool], query: str, limit: int) -> list[RankedTool]:
    """Return the tools that match a query, best first, and why they match."""
    index = _build_index(tools)
    matches = index.search(query, limit)
    explained = index.explain(query, matches)
    return [
        RankedTool(tools[match.document], match.score, words) for match, words in zip(matches, explained, strict=True)
    ]


def _build_index(tools: Sequence[EndpointTool]) -> SearchIndex:
    return SearchIndex([index_fields(tool) for tool in tools], load_embeddings())


def _parse(kind: type[_ArgumentsT], arguments: Mapping[str, Any]) -> _ArgumentsT:
    try:
        return kind.model_validate(dict(arguments))
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ArgumentError("; ".join(problems)) from error


def _summarize(tool: EndpointTool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "summary": first_sentence(tool.description),
        "arguments": list(tool.input_schema.get("required", ())),
        "read_only": tool.annotations.read_only,
        "destructive": bool(tool.annotations.destructive),
    }


def _with_signature(tool: EndpointTool) -> dict[str, Any]:
    summary = _summarize(tool)
    del summary["arguments"]  # the signature has them
    return {**summary, "signature": write_signature(tool)}


def _hint(total: int, shown: int, *, writes_code: bool) -> str:
    more = f"{shown} of {total} shown; raise limit or narrow the query. " if total > shown else ""
    if not writes_code:
        return f"{more}{DESCRIBE_TOOLS} shows signatures."
    return f"{more}The first {_MOST_SIGNATURES} have the signatures of their functions."


def _describe(tool: EndpointTool, *, with_schemas: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description,
        "signature": write_signature(tool),
        "read_only": tool.annotations.read_only,
        "destructive": bool(tool.annotations.destructive),
    }
    if with_schemas:
        described["input_schema"] = tool.input_schema
        described["output_schema"] = tool.output_schema
    return described


def with_signature(tool: Tool, outcome: Outcome) -> Outcome:
    """Return the outcome of a call by ``call_tool``: if its arguments were wrong, with the signature of the tool."""
    is_wrong = outcome.error is not None and (outcome.status == 422 or outcome.status is None)
    return outcome.with_text(f"The tool is:\n{write_signature(tool)}") if is_wrong else outcome
