"""The tool ``read_result``: reads stored results in pages that an agent can read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from toolway.calls import Outcome, ToolCall, report_internal_error, report_invalid_argument
from toolway.calls.response.field_selection import select_fields
from toolway.catalog import ALL_MODES, CatalogMode, EndpointTool, Tool, ToolAnnotations, find_rows, parse_fields
from toolway.content import TextContent
from toolway.errors import ArgumentError
from toolway.openapi import Schema
from toolway.results.limiter import ResultLimiter
from toolway.results.truncation import Collection as Stored
from toolway.results.truncation import count_fitting, cut_text, dump_array, dump_object
from toolway.sql_table import StoreError

__all__ = ["READ_RESULT_ORIGIN", "ReadResultRunner", "build_read_result"]

READ_RESULT_ORIGIN = "toolway.results"
"""The origin of the tool, which is not the prefix of an application."""

_NAMES = ("read_result", "toolway_read_result")
_UNKNOWN = (
    "No result has this handle: it has expired, or belongs to another caller. Call the original tool again to get a "
    "new handle."
)
_INPUT_SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "handle": {"type": "string"},
        "offset": {"type": "integer", "minimum": 0, "description": "Items, or characters of a text, to skip."},
        "limit": {"type": "integer", "minimum": 1, "description": "At most this many; fewer if they are long."},
        "fields": {
            "type": "array",
            "items": {"type": "string"},
            "description": 'Fields of each item, such as ["id", "lines[].sku"].',
        },
    },
    "required": ["handle"],
    "additionalProperties": False,
}


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    handle: str
    offset: int = Field(default=0, ge=0)
    limit: int | None = Field(default=None, ge=1)
    fields: list[str] = []


def build_read_result(tools: Collection[EndpointTool]) -> Tool:
    """Return the tool for a catalog, with a name that none of its tools has.

    It is listed if the OpenAPI document declares a list without a maximum. A list of tools must not change with the
    results that a client has received, and few other results are too long.
    """
    taken = {tool.name for tool in tools}
    has_lists = any(find_rows(tool.operation) is not None for tool in tools)
    modes: frozenset[CatalogMode] = frozenset({"list", "search"})
    if any("code" in tool.modes for tool in tools):  # otherwise only programs get results in this mode
        modes = ALL_MODES
    return Tool(
        name=next(name for name in _NAMES if name not in taken),
        modes=modes if has_lists else frozenset(),
        title="Read more of a result",
        description="Read more of a truncated result, which names its handle.",
        input_schema=_INPUT_SCHEMA,
        annotations=ToolAnnotations(read_only=True, destructive=False, idempotent=True, open_world=False),
        origin=READ_RESULT_ORIGIN,
    )


class ReadResultRunner:
    """Runs the tool.

    Args:
        limiter: has the store, the longest result, and the identities of callers.
    """

    forwarded: frozenset[bytes] = frozenset()

    def __init__(self, limiter: ResultLimiter) -> None:
        self.limiter = limiter

    def offer(self, tools: Mapping[str, Tool]) -> None:
        """Do nothing: the tool has no state."""

    def start(self, call: ToolCall) -> _Run:
        """Return a run for one call; it has not begun."""
        return _Run(call, self.limiter)


class _Run:
    """One call of the tool."""

    def __init__(self, call: ToolCall, limiter: ResultLimiter) -> None:
        self._call = call
        self._limiter = limiter

    def check_arguments(self) -> None:
        self._parse_arguments()

    async def execute(self) -> None:
        try:
            arguments = self._parse_arguments()
            caller = self._limiter.identify(self._call.context)
            outcome = await to_thread.run_sync(self._read, arguments, caller)
        except ArgumentError as error:
            outcome = report_invalid_argument(error)
        except StoreError as error:
            outcome = report_internal_error(self._call.tool.name, error)
        await self._call.finish(outcome)

    def stop_following(self) -> bool:
        return False

    async def closed(self) -> None:
        """Do nothing: nothing continues after the call."""

    def _parse_arguments(self) -> _Arguments:
        try:
            return _Arguments.model_validate(dict(self._call.arguments))
        except ValidationError as error:
            problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise ArgumentError("; ".join(problems)) from error

    def _read(self, arguments: _Arguments, caller: str) -> Outcome:
        found = self._limiter.store.load(arguments.handle, caller)
        if found is None:
            return Outcome((TextContent(text=_UNKNOWN),), error={"status": 404, "detail": _UNKNOWN}, status=404)
        return _read_page(found, arguments, self._limiter.max_bytes)


def _read_page(collection: Stored, arguments: _Arguments, max_bytes: int) -> Outcome:
    """Return a page as structured content, and a part of a text as text."""
    offset, tree = arguments.offset, parse_fields(arguments.fields)
    end = None if arguments.limit is None else offset + arguments.limit
    budget = max_bytes - 200  # for the other members of the page
    if collection.kind == "text":
        return _read_text(collection.body.decode(), offset, end, budget)
    if collection.kind == "array":
        items = collection.items()
        page = [select_fields(item, tree) for item in items[offset:end]]
        shown = count_fitting(map(len, page), budget)
        part, total, name = dump_array(page[:shown]), len(items), b"items"
    else:
        entries = list(collection.entries().items())
        page = [(key, select_fields(value, tree)) for key, value in entries[offset:end]]
        shown = count_fitting((len(to_json(key)) + 1 + len(value) for key, value in page), budget)
        part, total, name = dump_object(dict(page[:shown])), len(entries), b"entries"
    if page and not shown:
        raise ArgumentError(f"offset: item {offset:,} alone is too long; select fields of it, or skip it")
    following = offset + shown
    more = b',"next_offset":%d' % following if following < total else b""
    return Outcome(structured=b'{"%b":%b,"total":%d%b}' % (name, part, total, more), status=200)


def _read_text(text: str, offset: int, end: int | None, max_bytes: int) -> Outcome:
    part = cut_text(text[offset:end], max_bytes)
    following = offset + len(part)
    more = f"; read on with offset={following}" if following < len(text) else ""
    note = f"Characters {offset:,} to {following:,} of {len(text):,}{more}."
    return Outcome((TextContent(text=part), TextContent(text=note)), status=200)
