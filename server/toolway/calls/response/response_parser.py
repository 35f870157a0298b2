"""Parsing of the application's response into an outcome."""

from __future__ import annotations

import email.message
import re
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec
from pydantic_core import from_json, to_json

from toolway.calls.reply import Reply
from toolway.calls.response.error_results import (
    is_written_for_callers,
    reason_phrase,
    report_client_error,
    report_incomplete_response,
    report_server_error,
    report_unfollowed_redirect,
)
from toolway.calls.response.outcome import Document, Outcome
from toolway.calls.response.tool_result import TOOL_RESULT_MEDIA_TYPE, convert_to_plain_http, parse_tool_result
from toolway.catalog import WRAPPER, EndpointTool
from toolway.content import AudioContent, Content, EmbeddedResource, ImageContent, ResourceContents, TextContent
from toolway.media_types import essence, is_json
from toolway.openapi import Schema

__all__ = ["FILE_NAME_KEY", "parse_document", "parse_response"]

FILE_NAME_KEY = "toolway/filename"
"""The member of a content block's ``_meta`` with the file name of a download."""

_LARGE = 64 * 1024
_MOST_DIGITS = 4300  # the longest number that Python parses
_DIGITS = re.compile(rb"\d{%d}" % (_MOST_DIGITS // 2))
_SYNTAX = msgspec.json.Decoder(msgspec.Raw)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_FIRST_MEMBER = re.compile(rb'\s*\{\s*"([\w .:@$-]*)"')
_PLAIN_NAME = re.compile(r"[\w .:@$-]*", re.ASCII)
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_CHARSET_PARAMETER = re.compile(r"\s*;\s*charset=(\"[^\"]*\"|[^;]*)", re.IGNORECASE)
_TEXTUAL = re.compile(
    r"text/.+|.+\+(xml|yaml)|application/(xml|yaml|x-yaml|javascript|graphql|sql|x-ndjson|ndjson|jsonl|x-jsonlines"
    r"|jsonlines|json-seq|x-www-form-urlencoded)"
)


def parse_response(tool: EndpointTool, reply: Reply) -> Outcome:
    """Return the outcome for a response: JSON as structured content, and text, images and audio as their content types.

    A tool that lists an output schema has promised JSON. Clients reject a success without it, so that is an error here.
    """
    outcome = _outcome(tool, reply)
    if outcome.is_error or tool.wrapped_output_schema is None:
        return outcome
    if outcome.structured is None and _declares_text(tool):
        match outcome.blocks:
            case (TextContent(text=text),):
                return replace(outcome, structured=to_json(text))
            case _:
                pass
    if not tool.promises_output or _may_match_schema(tool, outcome.structured, is_strict=reply.is_strict):
        return outcome
    return _report_broken_schema(tool, outcome)


def _declares_text(tool: EndpointTool) -> bool:
    """Return whether the endpoint declares that it returns a string."""
    declared: Schema = (tool.wrapped_output_schema or {}).get("properties", {}).get(WRAPPER, {})
    return tool.wraps_output and declared.get("type") == "string"


def parse_document(tool: EndpointTool, reply: Reply) -> Outcome:
    """Return a response as the contents of a resource: text unchanged, any other media type as bytes."""
    if _is_tool_result(reply) and not reply.cut and 200 <= reply.status < 300:
        reply = _without_tool_result(reply)
    media_type = _CHARSET_PARAMETER.sub("", reply.header(b"content-type")).strip()
    kind = essence(media_type)
    is_text = not reply.body or is_json(kind) or _TEXTUAL.fullmatch(kind) is not None
    if not 200 <= reply.status < 300 or reply.is_broken or (reply.cut and not is_text):
        return parse_response(tool, reply)
    kind = media_type or None
    contents = (
        ResourceContents(uri="", mime_type=kind, text=_text(reply))
        if is_text
        else ResourceContents(uri="", mime_type=kind, blob=reply.body)
    )
    block = EmbeddedResource(resource=contents)
    return Document((block,), status=reply.status, cache_control=reply.header(b"cache-control"))


def _without_tool_result(reply: Reply) -> Reply:
    """Return the plain HTTP response for a `ToolResult`."""
    body, media_type = convert_to_plain_http(reply.body)
    headers = [pair for pair in reply.headers if pair[0].lower() != b"content-type"]
    return replace(reply, body=body, headers=[*headers, (b"content-type", media_type.encode("latin-1"))])


def _may_match_schema(tool: EndpointTool, body: bytes | None, *, is_strict: bool) -> bool:
    """Return whether JSON can match the output schema, as far as that is cheap: its type and its required members.

    FastAPI has validated the response, unless the endpoint returned a response object or middleware changed it. A body
    that `is_strict` is unchanged.
    """
    if body is None:
        return False
    if tool.wraps_output or tool.output_schema is None:
        return body != b"null" or tool.output_schema is None  # FastAPI serializes an infinite number as null
    names: list[str] = tool.output_schema.get("required", [])
    if body.lstrip()[:1] != b"{" or not all(_quoted_name(name) in body for name in names):
        return False
    return is_strict or not names or _starts_with_known_member(tool.output_schema, body) or _has_members(names, body)


def _starts_with_known_member(schema: Schema, body: bytes) -> bool:
    """Return whether the first member of an object is in the schema, which the members of an envelope are not."""
    first = _FIRST_MEMBER.match(body)
    return first is not None and first[1].decode() in schema.get("properties", ())


def _has_members(names: list[str], body: bytes) -> bool:
    try:
        return _MEMBERS.decode(body).keys() >= set(names)
    except msgspec.DecodeError:
        return False


@lru_cache(maxsize=4096)
def _quoted_name(name: str) -> bytes:
    """Return a member's name as it appears in JSON; empty if JSON can spell it in several ways."""
    return f'"{name}"'.encode() if _PLAIN_NAME.fullmatch(name) else b""


def _outcome(tool: EndpointTool, reply: Reply) -> Outcome:
    if reply.is_strict and not reply.cut and 200 <= reply.status < 300 and _has_plain_numbers(reply.body):
        return Outcome(structured=reply.body, status=reply.status)
    if reply.status == 0 or reply.status >= 500 or reply.is_broken:
        return _failure(tool, reply)
    if reply.status >= 400 and not _is_tool_result(reply):
        return report_client_error(tool, reply)
    if 300 <= reply.status < 400 and (reply.header(b"location") or not reply.body):
        is_failure = (reply.is_remote or tool.promises_output) and reply.status != 304
        return report_unfollowed_redirect(reply) if is_failure else _text_outcome(reply, _describe_redirect(reply))
    if not reply.body:
        done = f"Done: {tool.title} ({reply.status} {reason_phrase(reply.status)})"
        return _text_outcome(reply, f"{done}, but {reply.cut}" if reply.cut else done)
    return _success(tool, reply)


def _failure(tool: EndpointTool, reply: Reply) -> Outcome:
    if _is_tool_result(reply) and is_written_for_callers(reply):
        return _success(tool, reply)  # still an error, with the content that the endpoint gave it
    if not reply.is_broken:
        return report_server_error(tool, reply)
    media_type = essence(reply.header(b"content-type"))
    is_text = is_json(media_type) or _TEXTUAL.fullmatch(media_type) is not None
    return report_incomplete_response(
        reply, _text(reply) if is_text else f"{len(reply.body):,} bytes of {media_type or 'data'}"
    )


def _has_plain_numbers(body: bytes) -> bool:
    """Return whether JSON has no number with more digits than Python parses; large bodies are not searched.

    Such a number covers at least one of the offsets that are checked, with half of its digits after it.
    """
    if not _MOST_DIGITS < len(body) <= _LARGE:
        return True
    return not any(_DIGITS.match(body, at) for at in range(0, len(body), _MOST_DIGITS // 2))


def _success(tool: EndpointTool, reply: Reply) -> Outcome:
    media_type = essence(reply.header(b"content-type"))
    if media_type == TOOL_RESULT_MEDIA_TYPE and not reply.cut:
        return parse_tool_result(reply.body, reply.status)
    if is_json(media_type) and not reply.cut and _is_strict_json(reply.body):
        named = _file_meta(reply)
        blocks = (TextContent(text=reply.body.decode(), meta=named),) if named else ()
        return Outcome(blocks, reply.body, status=reply.status)
    if _TEXTUAL.fullmatch(media_type) or (is_json(media_type) and not reply.cut):
        return Outcome((TextContent(text=_text(reply), meta=_file_meta(reply)),), status=reply.status)
    if reply.cut:
        return _report_too_large(tool, reply)
    return Outcome((_media(tool, reply, media_type),), status=reply.status)


def _is_tool_result(reply: Reply) -> bool:
    return essence(reply.header(b"content-type")) == TOOL_RESULT_MEDIA_TYPE


def _describe_redirect(reply: Reply) -> str:
    target = reply.header(b"location")
    label = f"{reply.status} {reason_phrase(reply.status)}"
    return f"{label}: continue at {target}" if target else label


def _is_strict_json(body: bytes) -> bool:
    """Return whether any client can read a body as JSON: no NaN, no lone surrogates, at most 200 levels.

    The levels of a large body are not counted, as that would mean to parse all of it.
    """
    try:
        if len(body) > _LARGE:
            _SYNTAX.decode(body.decode())
        else:
            from_json(body, allow_inf_nan=False)
            body.decode()
    except (ValueError, RecursionError):
        return False
    return True


def _text_outcome(reply: Reply, text: str) -> Outcome:
    return Outcome((TextContent(text=text),), status=reply.status)


def _text(reply: Reply) -> str:
    declared = _CHARSET.search(reply.header(b"content-type"))
    try:
        text = reply.body.decode(declared[1] if declared else "utf-8", "replace")
    except LookupError:
        text = reply.body.decode("utf-8", "replace")
    return f"{text}\n[The response was cut off here: {reply.cut}.]" if reply.cut else text


def _media(tool: EndpointTool, reply: Reply, media_type: str) -> Content:
    body = reply.body
    if media_type.startswith("image/"):
        return ImageContent(data=body, mime_type=media_type, meta=_file_meta(reply))
    if media_type.startswith("audio/"):
        return AudioContent(data=body, mime_type=media_type, meta=_file_meta(reply))
    name = _file_name(reply)
    uri = f"toolway:///{tool.name}/{quote(name, safe='')}" if name else f"toolway:///{tool.name}"
    mime_type = media_type or "application/octet-stream"
    return EmbeddedResource(resource=ResourceContents(uri=uri, mime_type=mime_type, blob=body))


def _file_name(reply: Reply) -> str:
    """Return the file name of a download (RFC 6266); empty if it has none."""
    disposition = reply.header(b"content-disposition")
    if not disposition:
        return ""
    head = email.message.Message()
    head["Content-Disposition"] = disposition
    return head.get_filename() or ""


def _file_meta(reply: Reply) -> dict[str, Any] | None:
    """Return the file name of a download as `_meta` of its content, without folders: clients may save it as it is."""
    name = _file_name(reply).replace("\\", "/").rpartition("/")[2]
    return {FILE_NAME_KEY: name} if name else None


def _report_broken_schema(tool: EndpointTool, outcome: Outcome) -> Outcome:
    """Return an error with the whole response: clients reject a success that does not match its output schema."""
    text = (
        f"The request of {tool.name} succeeded with status {outcome.status}, but its response does not match its "
        "output schema. @agent_tool(output_schema=False) or TOOLWAY_OUTPUT_SCHEMAS=false withholds the schema. "
        "The response:"
    )
    error = {"status": outcome.status, "detail": text}
    return replace(outcome, blocks=(TextContent(text=text), *outcome.content), error=error, breaks_schema=True)


def _report_too_large(tool: EndpointTool, reply: Reply) -> Outcome:
    """Return the error for a response that is useless when cut off, such as JSON."""
    text = (
        f"The response of {tool.name} was not returned: {reply.cut}. Request less data, e.g. with a filter or a limit."
    )
    return replace(_text_outcome(reply, text), error={"status": reply.status, "detail": text})
