"""Rules about results: whether they have a schema, and whether they fit into the context."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from starlette.responses import FileResponse, StreamingResponse

from toolway.catalog import EndpointTool
from toolway.lint.finding import Finding, Rule
from toolway.lint.lint_context import Check, LintContext, resolve, split_words
from toolway.openapi import Operation, Response, Schema

__all__ = ["CHECKS"]

_PAGING_WORDS = frozenset(
    {"count", "cursor", "first", "last", "limit", "max", "offset", "page", "per", "size", "skip", "take", "top"}
)
_STREAM_MEDIA_TYPES = ("text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl",
            "application/json-seq", "multipart/x-mixed-replace")  # fmt: skip

R1 = Rule(
    "R1",
    "warn",
    "List without a limit or pages",
    "The whole list goes into the agent's context, and clients truncate it at about 100 kB.",
    "Add limit: Annotated[int, Query(ge=1, le=100)] = 20, and a parameter for the next page.",
)
R2 = Rule(
    "R2",
    "warn",
    "Result without a model",
    "Agents and programs do not know the shape of the result, and the tool has no output schema.",
    "Return a Pydantic model, or set response_model; annotate its serializers with return types. Use "
    "status_code=204 if there is no result.",
)
R3 = Rule(
    "R3",
    "warn",
    "Stream or file of unknown length",
    "It is truncated at TOOLWAY_STREAM_SECONDS or TOOLWAY_MAX_RESULT_BYTES, and files fill the context.",
    "Return bounded JSON to agents, or hide the endpoint with @agent_tool(hide=True).",
)


def _check_lists(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        names = {word for name in tool.arguments for word in split_words(name)}
        if tool.operation.method == "GET" and _is_list(tool) and names.isdisjoint(_PAGING_WORDS):
            yield R1.at(tool, "returns a list, and no argument limits it")


def _is_list(tool: EndpointTool) -> bool:
    schemas = [resolve(response.schema, tool) for response in _successful_responses(tool.operation) if response.schema]
    return any(schema.get("type") == "array" and "maxItems" not in schema for schema in schemas)


def _successful_responses(operation: Operation) -> list[Response]:
    return [response for response in operation.responses if response.status.startswith("2")]


def _check_output_schema(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        fault = None if tool.operation.method == "HEAD" else _describe_missing_schema(tool)
        if fault is not None:
            yield R2.at(tool, fault)


def _describe_missing_schema(tool: EndpointTool) -> str | None:
    """Return why the result has no reliable schema, or None if it has one or does not need one."""
    responses = _successful_responses(tool.operation)
    statuses = list(dict.fromkeys(response.status for response in responses))
    if not responses:
        redirects = any(response.status.startswith("3") for response in tool.operation.responses)
        return None if redirects else "no successful response is documented"
    if len(statuses) > 1:
        return f"has several successful responses ({', '.join(statuses)}), so there is no single output schema"
    return _describe_response_fault(responses, tool)


def _describe_response_fault(responses: list[Response], tool: EndpointTool) -> str | None:
    first = responses[0]
    if first.media_type is None:
        return None if first.status in {"204", "205"} else "the content of the response is not documented"
    if "json" not in first.media_type:
        return None
    if len(responses) > 1:
        return f"responds in several media types ({', '.join(str(response.media_type) for response in responses)})"
    if tool.output_schema is None and tool.wrapped_output_schema is not None:
        return "may be null, which an output schema cannot express"
    if tool.operation.schema_mismatch:
        return f"the OpenAPI document may be wrong about the response: {tool.operation.schema_mismatch}"
    return "the response is JSON of any shape" if _allows_anything(first.schema or {}, tool) else None


def _allows_anything(schema: Schema, tool: EndpointTool) -> bool:
    whole = {key: value for key, value in resolve(schema, tool).items() if key != "title"}
    is_bag = whole.get("type") == "object" and whole.get("additionalProperties", True) is True
    return not whole or (is_bag and not whole.keys() & {"properties", "anyOf", "oneOf", "allOf"})


def _check_streams(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        if what := _describe_stream(tool.operation):
            yield R3.at(tool, f"responds with {what}")


def _describe_stream(operation: Operation) -> str | None:
    media_types = [
        (response.media_type or "").partition(";")[0].lower() for response in _successful_responses(operation)
    ]
    streamed = next((media_type for media_type in media_types if media_type in _STREAM_MEDIA_TYPES), None)
    if streamed is not None:
        return f"a stream ({streamed})"
    returned = _return_type(operation)
    if returned is not None and issubclass(returned, FileResponse):
        return "a file"
    return "a stream" if returned is not None and issubclass(returned, StreamingResponse) else None


def _return_type(operation: Operation) -> type | None:
    """Return the class in the endpoint's return annotation, if it runs in this process and has one."""
    if operation.endpoint is None:
        return None
    try:
        returned = inspect.signature(operation.endpoint, eval_str=True).return_annotation
    except (NameError, TypeError, ValueError, AttributeError):
        return None
    return returned if isinstance(returned, type) else None


CHECKS: dict[Rule, Check] = {R1: _check_lists, R2: _check_output_schema, R3: _check_streams}
