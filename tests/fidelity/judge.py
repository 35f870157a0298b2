"""Whether a tool call ended as the plain HTTP request did."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    TextContent,
    Tool,
)

from tests.fidelity.case import Case
from tests.fidelity.schemas import advertises, agrees, is_schema, promises, unadvertised

__all__ = ["Called", "Requested", "call_problems", "schema_problems"]

_STATUS = re.compile(r"\b([1-5]\d\d)\b")
_BOOLEAN = re.compile(r"(?<=/)(True|False)(?=/|$)")
_SECRET = "secret"
"""Stands in whatever an exception of the applications says; no caller may read it."""


@dataclass(frozen=True, slots=True)
class Requested:
    """How the plain HTTP request ended, and what the application did."""

    response: httpx2.Response
    body: bytes
    """What came of the answer: all of it, or the beginning of an endless one."""
    journal: Mapping[str, Any]
    is_broken: bool = False
    """The answer broke off before its end."""


@dataclass(frozen=True, slots=True)
class Called:
    """How the tool call ended, and what the application did."""

    result: CallToolResult
    journal: Mapping[str, Any]


def schema_problems(case: Case, tool: Tool, arguments: Mapping[str, Any], status: int) -> Iterator[str]:
    """Yield what is wrong with what the tool advertises, given how the request ended."""
    schema = tool.input_schema
    if not is_schema(schema) or schema.get("type") != "object":
        yield "the input schema is not a JSON Schema of an object"
        return
    if status < 400 and (hidden := unadvertised(schema, arguments)):
        yield f"not advertised: {', '.join(hidden)}"
    if leaking := [name for name in case.withheld if name in schema.get("properties", {})]:
        yield f"a credential is an argument: {', '.join(leaking)}"
    yield from advertises(case, schema)
    yield from promises(case, tool.output_schema)
    says = case.schema_says or ("yes" if status < 400 else "no" if status == 422 else "cannot tell")
    if says != "cannot tell" and agrees(schema, arguments) != (says == "yes"):
        yield f"the input schema {'refuses' if says == 'yes' else 'accepts'} what the endpoint {_took(status)}"


def _took(status: int) -> str:
    return "refuses" if status >= 400 else "takes"


def call_problems(case: Case, tool: Tool, called: Called, requested: Requested) -> Iterator[str]:
    """Yield every difference between the call and the request."""
    if case.may_stop_early and called.result.is_error and not called.journal["requests"]:
        return
    yield from _journal_problems(case, called.journal, requested.journal)
    status = requested.response.status_code
    if (status >= 500 or requested.is_broken) and not case.may_fail:
        yield f"the request itself failed: {status} {requested.body[:200]!r}"
    if requested.is_broken:
        yield from _failure_problems(called.result)
    elif status >= 400:
        yield from _refusal_problems(case, called.result, requested.response)
    elif called.result.is_error and case.breaks_promise and requested.response.text in _texts_of(called.result):
        return
    elif called.result.is_error:
        yield f"the call failed, the request gave {status}: {_text(called.result)[:200]}"
    else:
        yield from _answer_problems(case, called.result, requested)
        yield from _promise_problems(tool, called.result)


def _journal_problems(case: Case, called: Mapping[str, Any], requested: Mapping[str, Any]) -> Iterator[str]:
    if case.is_endless:
        called, requested = _without_bodies(called), _without_bodies(requested)
    for what in ("requests", "effects"):
        if _plain(_comparable(called[what])) != _plain(_comparable(requested[what])):
            yield f"{what} of the call: {called[what]}, of the request: {requested[what]}"


def _comparable(entries: list[Any]) -> list[Any]:
    """A boolean may stand in a path as True, and a failed validation repeats what came, all headers among it."""
    return [_without_input(_with_small_booleans(entry)) if isinstance(entry, dict) else entry for entry in entries]


def _with_small_booleans(entry: dict[str, Any]) -> dict[str, Any]:
    if "request" not in entry:
        return entry
    return {**entry, "request": _BOOLEAN.sub(lambda found: found[0].lower(), entry["request"])}


def _without_input(entry: dict[str, Any]) -> dict[str, Any]:
    body = _parsed(entry["body"]) if entry.get("status") == 422 else None
    detail = body.get("detail") if isinstance(body, dict) else None
    if not isinstance(detail, list):
        return entry
    problems = [{key: value for key, value in problem.items() if key != "input"} for problem in detail]
    return {**entry, "body": problems}


def _without_bodies(journal: Mapping[str, Any]) -> dict[str, Any]:
    requests = [{**entry, "body": None} for entry in journal["requests"]]
    return {**journal, "requests": requests}


def _failure_problems(result: CallToolResult) -> Iterator[str]:
    """What fails on the server's side says so, and not why."""
    if not result.is_error:
        yield "the call succeeded, the request did not"
    elif _SECRET in _text(result):
        yield f"the cause of a failure leaks: {_text(result)[:200]}"


def _refusal_problems(case: Case, result: CallToolResult, response: httpx2.Response) -> Iterator[str]:
    if not result.is_error or response.status_code == 500:
        yield from _failure_problems(result)
        return
    text = _text(result)
    if _status(result) != response.status_code:
        yield f"the call has status {_status(result)}, the request gave {response.status_code}"
    words = [*_reasons(response), *case.blames]
    yield from (f"the call does not contain {word!r}" for word in words if not _holds(text, word))


def _status(result: CallToolResult) -> int | None:
    told = (result.meta or {}).get("toolway/error", {}).get("status")
    if told is not None:
        return told
    found = _STATUS.search(_text(result))
    return int(found[1]) if found else None


def _reasons(response: httpx2.Response) -> list[str]:
    """The words of a refusal: the messages of a failed validation, or every text in the detail."""
    try:
        body = response.json()
    except ValueError:
        return [response.text] if response.text else []
    detail = body.get("detail", body) if isinstance(body, dict) else body
    if response.status_code == 422 and isinstance(detail, list):
        return [entry["msg"] for entry in detail if "msg" in entry]
    return list(_texts(detail))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def _holds(text: str, word: str) -> bool:
    return word in text or json.dumps(word, ensure_ascii=False)[1:-1] in text


def _answer_problems(case: Case, result: CallToolResult, requested: Requested) -> Iterator[str]:
    body = requested.body
    if case.is_endless:
        if not _text(result).encode().startswith(body):
            yield f"the answer begins with {_text(result)[:100]!r}, not with {body[:100]!r}"
    elif not body:
        return
    elif _is_json(requested.response):
        yield from _json_problems(result, requested.response.json())
    elif not _shows(result, requested):
        yield f"the answer is {[str(block)[:200] for block in result.content]}, not {body[:200]!r}"


def _shows(result: CallToolResult, requested: Requested) -> bool:
    """Tell whether an answer that is no JSON is there: as bytes of its kind, or as text."""
    is_said = requested.response.text in _texts_of(result) and _is_text(requested.response)
    return is_said or any(
        data == requested.body and media_type == _media_type(requested.response)
        for data, media_type in _payloads(result)
    )


def _is_text(response: httpx2.Response) -> bool:
    try:
        response.content.decode(response.encoding or "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _media_type(response: httpx2.Response) -> str:
    """What the answer says it is; bytes that say nothing are no more than bytes."""
    return response.headers.get("content-type", "application/octet-stream").partition(";")[0].strip().lower()


def _is_json(response: httpx2.Response) -> bool:
    media_type = _media_type(response)
    if media_type != "application/json" and not media_type.endswith("+json"):
        return False
    try:
        json.loads(response.content, parse_constant=float.fromhex)  # NaN is no JSON
    except ValueError:
        return False
    return True


def _json_problems(result: CallToolResult, expected: Any) -> Iterator[str]:
    """Structured content is the answer itself, or wrapped where a revision knows only objects; the text is it too."""
    structured = result.structured_content
    if structured is not None and _plain(structured) not in {_plain(expected), _plain({"result": expected})}:
        yield f"the structured content is {structured}, not {expected}"
    texts = [_parsed(text) for text in _texts_of(result)]
    if structured is None and _plain(expected) not in {_plain(text) for text in texts}:
        yield f"the answer is {_text(result)[:200]!r}, not {expected}"


def _promise_problems(tool: Tool, result: CallToolResult) -> Iterator[str]:
    if tool.output_schema is None:
        return
    if not is_schema(tool.output_schema):
        yield "the output schema is not a JSON Schema"
    elif result.structured_content is None or not agrees(tool.output_schema, result.structured_content):
        yield f"the output schema refuses the answer {result.structured_content}"


def _plain(value: Any) -> str:
    """JSON that tells 1 from 1.0 and from true, and does not care for the order of members."""
    return json.dumps(value, sort_keys=True)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _texts_of(result: CallToolResult) -> list[str]:
    return [block.text for block in result.content if isinstance(block, TextContent)]


def _text(result: CallToolResult) -> str:
    return "\n".join(_texts_of(result))


def _payloads(result: CallToolResult) -> Iterator[tuple[bytes, str | None]]:
    for block in result.content:
        if isinstance(block, ImageContent | AudioContent):
            yield base64.b64decode(block.data), block.mime_type
        elif isinstance(block, EmbeddedResource) and isinstance(block.resource, BlobResourceContents):
            yield base64.b64decode(block.resource.blob), block.resource.mime_type
