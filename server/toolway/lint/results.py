"""Results: what an agent can expect of them, and whether they fit."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from starlette.responses import FileResponse, StreamingResponse

from toolway.catalog import Tool
from toolway.lint.finding import Finding, Rule
from toolway.lint.survey import Check, Survey, plain, words
from toolway.openapi import Operation, Response, Schema

__all__ = ["CHECKS"]

_PAGING = frozenset(
    {"count", "cursor", "first", "last", "limit", "max", "offset", "page", "per", "size", "skip", "take", "top"}
)
_STREAMS = ("text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl",
            "application/json-seq", "multipart/x-mixed-replace")  # fmt: skip

R1 = Rule(
    "R1",
    "warn",
    "List without a limit or pages",
    "The whole list stands in the agent's context; clients cut at about 100 kB.",
    "limit: Annotated[int, Query(ge=1, le=100)] = 20, and a way to the next page.",
)
R2 = Rule(
    "R2",
    "warn",
    "Result without a model",
    "Agents and programs cannot know what comes back, and no output schema can be promised.",
    "A Pydantic model as return type or response_model, whose serializers have return types; status_code=204 where "
    "nothing comes back.",
)
R3 = Rule(
    "R3",
    "warn",
    "Stream or file of unknown length",
    "It is cut at TOOLWAY_STREAM_SECONDS or TOOLWAY_MAX_RESULT_BYTES, and files fill the context.",
    "A bounded answer in JSON for agents, or @agent_tool(hide=True).",
)


def _endless_lists(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if tool.operation.method == "GET" and _is_list(tool) and not any(map(_is_paging, tool.arguments)):
            yield R1.at(tool, "returns a list, and no argument limits it")


def _is_list(tool: Tool) -> bool:
    schemas = [plain(response.schema, tool) for response in _good(tool.operation) if response.schema]
    return any(schema.get("type") == "array" and "maxItems" not in schema for schema in schemas)


def _is_paging(name: str) -> bool:
    return not _PAGING.isdisjoint(words(name))


def _good(operation: Operation) -> list[Response]:
    return [response for response in operation.responses if response.status.startswith("2")]


def _unmodelled(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        fault = None if tool.operation.method == "HEAD" else _unpromised(tool)
        if fault is not None:
            yield R2.at(tool, fault)


def _unpromised(tool: Tool) -> str | None:
    """Why the result has no schema to rely on; None where it has one, or needs none."""
    good = _good(tool.operation)
    statuses = list(dict.fromkeys(response.status for response in good))
    if not good:
        redirects = any(response.status.startswith("3") for response in tool.operation.responses)
        return None if redirects else "no successful answer is described"
    if len(statuses) > 1:
        return f"has several successful answers ({', '.join(statuses)}), so none can be promised"
    return _vague(good, tool)


def _vague(good: list[Response], tool: Tool) -> str | None:
    first = good[0]
    if first.media_type is None:
        return None if first.status in {"204", "205"} else "the answer's content is not described"
    if "json" not in first.media_type:
        return None
    if len(good) > 1:
        return f"answers in several media types ({', '.join(str(answer.media_type) for answer in good)})"
    if tool.output_schema is None and tool.wrapped_output_schema is not None:
        return "may be null, which no output schema can promise"
    if tool.operation.schema_mismatch:
        return f"the document may be wrong about the answer: {tool.operation.schema_mismatch}"
    return "the answer is JSON of any shape" if _is_free(first.schema or {}, tool) else None


def _is_free(schema: Schema, tool: Tool) -> bool:
    whole = {key: value for key, value in plain(schema, tool).items() if key != "title"}
    is_bag = whole.get("type") == "object" and whole.get("additionalProperties", True) is True
    return not whole or (is_bag and not whole.keys() & {"properties", "anyOf", "oneOf", "allOf"})


def _unbounded(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if what := _stream(tool.operation):
            yield R3.at(tool, f"answers with {what}")


def _stream(operation: Operation) -> str | None:
    media_types = [(response.media_type or "").partition(";")[0].lower() for response in _good(operation)]
    streamed = next((media_type for media_type in media_types if media_type in _STREAMS), None)
    if streamed is not None:
        return f"a stream ({streamed})"
    returned = _returned(operation)
    if returned is not None and issubclass(returned, FileResponse):
        return "a file"
    return "a stream" if returned is not None and issubclass(returned, StreamingResponse) else None


def _returned(operation: Operation) -> type | None:
    """The class that the endpoint says it returns, where it runs in this process."""
    if operation.endpoint is None:
        return None
    try:
        returned = inspect.signature(operation.endpoint, eval_str=True).return_annotation
    except (NameError, TypeError, ValueError, AttributeError):
        return None
    return returned if isinstance(returned, type) else None


CHECKS: dict[Rule, Check] = {R1: _endless_lists, R2: _unmodelled, R3: _unbounded}
