"""From the application's answer to what the caller gets."""

from __future__ import annotations

import email.message
import re
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec
from pydantic_core import from_json, to_json

from toolway.calls.dispatcher import Reply
from toolway.calls.response.error_results import (
    broken_response,
    keeps_text,
    phrase,
    refused_request,
    server_failure,
    unfollowed_redirect,
)
from toolway.calls.response.outcome import Document, Outcome
from toolway.calls.response.tool_result import TOOL_RESULT_MEDIA_TYPE, plain_answer, written_outcome
from toolway.catalog import WRAPPER, Tool
from toolway.content import AudioContent, Content, EmbeddedResource, ImageContent, ResourceContents, TextContent
from toolway.openapi import Schema

__all__ = ["FILE_NAME_KEY", "document_of", "outcome_of"]

FILE_NAME_KEY = "toolway/filename"
"""The member of a content block's ``_meta`` with the file name of a download."""

_LARGE = 64 * 1024
_MOST_DIGITS = 4300  # of a number that Python reads
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


def outcome_of(tool: Tool, reply: Reply) -> Outcome:
    """Turn an answer into content: JSON stays JSON, text stays text, pictures and sound are themselves.

    A tool with an output schema has promised JSON: clients refuse a success without it, so that is a failure here.
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
    return outcome if _is_promised(tool, outcome.structured, is_strict=reply.is_strict) else _unpromised(tool, outcome)


def _declares_text(tool: Tool) -> bool:
    """Return whether the endpoint declares that it returns a string."""
    declared: Schema = (tool.wrapped_output_schema or {}).get("properties", {}).get(WRAPPER, {})
    return tool.wraps_output and declared.get("type") == "string"


def document_of(tool: Tool, reply: Reply) -> Outcome:
    """Turn an answer into a document: what is text stays as it is, whatever it holds; anything else is bytes."""
    if _is_written(reply) and not reply.cut and 200 <= reply.status < 300:
        reply = _plainly(reply)
    media_type = _CHARSET_PARAMETER.sub("", reply.header(b"content-type")).strip()
    kind = _media_type(media_type)
    is_text = not reply.body or _is_json(kind) or _TEXTUAL.fullmatch(kind) is not None
    if not 200 <= reply.status < 300 or reply.is_broken or (reply.cut and not is_text):
        return outcome_of(tool, reply)
    kind = media_type or None
    contents = (
        ResourceContents(uri="", mime_type=kind, text=_text(reply))
        if is_text
        else ResourceContents(uri="", mime_type=kind, blob=reply.body)
    )
    block = EmbeddedResource(resource=contents)
    return Document((block,), status=reply.status, cache_control=reply.header(b"cache-control"))


def _plainly(reply: Reply) -> Reply:
    """Return a `ToolResult` as it is over plain HTTP."""
    body, media_type = plain_answer(reply.body)
    headers = [pair for pair in reply.headers if pair[0].lower() != b"content-type"]
    return replace(reply, body=body, headers=[*headers, (b"content-type", media_type.encode("latin-1"))])


def _is_promised(tool: Tool, body: bytes | None, *, is_strict: bool) -> bool:
    """Tell whether JSON may be what the output schema says, as far as that is free: its kind, and the members it needs.

    FastAPI has checked the answer against the model, unless the endpoint made a response of its own, or middleware made
    another of it: one that `is_strict` is the one that FastAPI has written.
    """
    if body is None:
        return False
    if tool.wraps_output or tool.output_schema is None:
        return body != b"null" or tool.output_schema is None  # an infinite number, written as JSON
    names: list[str] = tool.output_schema.get("required", [])
    if body.lstrip()[:1] != b"{" or not all(_sign(name) in body for name in names):
        return False
    return is_strict or not names or _begins_with_its_own(tool.output_schema, body) or _has_members(names, body)


def _begins_with_its_own(schema: Schema, body: bytes) -> bool:
    """Tell whether the first member of an object is one that the schema has: what wraps an answer has another name."""
    first = _FIRST_MEMBER.match(body)
    return first is not None and first[1].decode() in schema.get("properties", ())


def _has_members(names: list[str], body: bytes) -> bool:
    try:
        return _MEMBERS.decode(body).keys() >= set(names)
    except msgspec.DecodeError:
        return False


@lru_cache(maxsize=4096)
def _sign(name: str) -> bytes:
    """How a member's name stands in JSON, where there is only one way to write it."""
    return f'"{name}"'.encode() if _PLAIN_NAME.fullmatch(name) else b""


def _outcome(tool: Tool, reply: Reply) -> Outcome:
    if reply.is_strict and not reply.cut and 200 <= reply.status < 300 and _has_plain_numbers(reply.body):
        return Outcome(structured=reply.body, status=reply.status)
    if reply.status == 0 or reply.status >= 500 or reply.is_broken:
        return _failure(tool, reply)
    if reply.status >= 400 and not _is_written(reply):
        return refused_request(tool, reply)
    if 300 <= reply.status < 400 and (reply.header(b"location") or not reply.body):
        is_failure = (reply.is_remote or tool.wrapped_output_schema is not None) and reply.status != 304
        return unfollowed_redirect(reply) if is_failure else _text_outcome(reply, _moved(reply))
    if not reply.body:
        done = f"Done: {tool.title} ({reply.status} {phrase(reply.status)})"
        return _text_outcome(reply, f"{done}, but {reply.cut}" if reply.cut else done)
    return _success(tool, reply)


def _failure(tool: Tool, reply: Reply) -> Outcome:
    if _is_written(reply) and keeps_text(reply):
        return _success(tool, reply)  # a failure all the same, with the content that the endpoint gave it
    if not reply.is_broken:
        return server_failure(tool, reply)
    media_type = _media_type(reply.header(b"content-type"))
    is_text = _is_json(media_type) or _TEXTUAL.fullmatch(media_type) is not None
    return broken_response(reply, _text(reply) if is_text else f"{len(reply.body):,} bytes of {media_type or 'data'}")


def _has_plain_numbers(body: bytes) -> bool:
    """Tell whether there can be no number in JSON that Python does not read; in large answers nobody looks for them.

    One that is too long holds one of these places with half of its digits still to come, so few places are looked at.
    """
    if not _MOST_DIGITS < len(body) <= _LARGE:
        return True
    return not any(_DIGITS.match(body, at) for at in range(0, len(body), _MOST_DIGITS // 2))


def _success(tool: Tool, reply: Reply) -> Outcome:
    media_type = _media_type(reply.header(b"content-type"))
    if media_type == TOOL_RESULT_MEDIA_TYPE and not reply.cut:
        return written_outcome(reply.body, reply.status)
    if _is_json(media_type) and not reply.cut and _is_strict_json(reply.body):
        named = _file_meta(reply)
        blocks = (TextContent(text=reply.body.decode(), meta=named),) if named else ()
        return Outcome(blocks, reply.body, status=reply.status)
    if _TEXTUAL.fullmatch(media_type) or (_is_json(media_type) and not reply.cut):
        return Outcome((TextContent(text=_text(reply), meta=_file_meta(reply)),), status=reply.status)
    if reply.cut:
        return _too_much(tool, reply)
    return Outcome((_media(tool, reply, media_type),), status=reply.status)


def _is_written(reply: Reply) -> bool:
    return _media_type(reply.header(b"content-type")) == TOOL_RESULT_MEDIA_TYPE


def _moved(reply: Reply) -> str:
    target = reply.header(b"location")
    label = f"{reply.status} {phrase(reply.status)}"
    return f"{label}: continue at {target}" if target else label


@lru_cache(maxsize=128)
def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


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
    return f"{text}\n[The answer was closed here: {reply.cut}.]" if reply.cut else text


def _media(tool: Tool, reply: Reply, media_type: str) -> Content:
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


def _unpromised(tool: Tool, outcome: Outcome) -> Outcome:
    """Show the whole response of a request that succeeded: clients refuse a success that breaks its output schema."""
    text = (
        f"The request of {tool.name} succeeded with status {outcome.status}, but its response does not match its "
        "output schema. @agent_tool(output_schema=False) or TOOLWAY_OUTPUT_SCHEMAS=false withholds the schema. "
        "The response:"
    )
    error = {"status": outcome.status, "detail": text}
    return replace(outcome, blocks=(TextContent(text=text), *outcome.content), error=error, breaks_schema=True)


def _too_much(tool: Tool, reply: Reply) -> Outcome:
    """Half a document is no document: say how to ask for less."""
    text = (
        f"The response of {tool.name} was not returned: {reply.cut}. Request less data, e.g. with a filter or a limit."
    )
    return replace(_text_outcome(reply, text), error={"status": reply.status, "detail": text})
