"""Results that an endpoint composes itself: any MCP content, with or without structured content.

Over plain HTTP such a result is an ordinary response. In a tool call it is encoded in a media type of its own, which
passes through the application's middleware like any other response.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from pydantic import TypeAdapter
from pydantic_core import to_json
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from toolway.calls.context import CONTEXT_KEY
from toolway.calls.response.outcome import Outcome
from toolway.content import AudioContent, Content, EmbeddedResource, ImageContent, TextContent

__all__ = ["TOOL_RESULT_MEDIA_TYPE", "ToolResult", "convert_to_plain_http", "parse_tool_result"]

TOOL_RESULT_MEDIA_TYPE = "application/vnd.toolway.result+json"
"""The media type of a result between the endpoint and the response parser."""

_Given: TypeAlias = Content | str
_BLOCKS = TypeAdapter[list[Content]](list[Content])


class ToolResult(Response):
    """A response with any mix of content blocks and structured content, for endpoints that return more than data.

    Over plain HTTP the response body is the structured content as JSON. Without structured content, a single text,
    image, audio or embedded resource is the body itself, and other content is sent as JSON.

    Args:
        content: one content block or several; a string becomes a `TextContent`.
        structured: data for programs, anything that Pydantic can serialize to JSON. The ``response_model=`` of the
            route publishes its schema, but does not validate it. Agents also get it as text, unless `content` has one.
        status_code: the status over plain HTTP; the tool call is an error from 400 on.
        headers: the headers over plain HTTP.
        background: a task to run after the response.
    """

    def __init__(
        self,
        content: _Given | Sequence[_Given] = (),
        *,
        structured: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        given = [content] if isinstance(content, str) or not isinstance(content, Sequence) else content
        self._blocks = [TextContent(text=entry) if isinstance(entry, str) else entry for entry in given]
        self._structured = to_json(structured, inf_nan_mode="null") if structured is not None else None
        body, media_type = _plain(self._blocks, self._structured)
        super().__init__(body, status_code, headers, media_type, background)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if CONTEXT_KEY in scope:
            self.body = b'{"content":%b,"structured":%b}' % (
                _BLOCKS.dump_json(self._blocks),
                self._structured or b"null",
            )
            self.headers["content-type"] = TOOL_RESULT_MEDIA_TYPE
            self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def _plain(blocks: list[Content], structured: bytes | None) -> tuple[bytes, str]:
    """Return the body over plain HTTP, and its media type."""
    if structured is not None:
        return structured, "application/json"
    match blocks:
        case [TextContent(text=text)]:
            return text.encode(), "text/plain"
        case [ImageContent() | AudioContent() as block]:
            return block.data, block.mime_type
        case [EmbeddedResource(resource=resource)]:
            is_text = resource.text is not None
            fallback = "text/plain" if is_text else "application/octet-stream"
            return (resource.text or "").encode() if is_text else resource.blob or b"", resource.mime_type or fallback
        case _:
            return _BLOCKS.dump_json(blocks), "application/json"


class _Result(msgspec.Struct):
    content: list[Any]
    structured: msgspec.Raw


_RESULT = msgspec.json.Decoder(_Result)


def convert_to_plain_http(body: bytes) -> tuple[bytes, str]:
    """Return the plain HTTP body and media type of an encoded result.

    Raises:
        ValueError: the body is not an encoded result.
    """
    result = _RESULT.decode(body)
    return _plain(_BLOCKS.validate_python(result.content), _structured(result))


def parse_tool_result(body: bytes, status: int) -> Outcome:
    """Return the outcome for an encoded result.

    Raises:
        ValueError: the body is not an encoded result.
    """
    result = _RESULT.decode(body)
    blocks = tuple(_BLOCKS.validate_python(result.content))
    structured = _structured(result)
    text = next((block.text for block in blocks if isinstance(block, TextContent)), None)
    if structured is None and not blocks:
        blocks = (TextContent(text="Done"),)
    elif structured is not None and blocks and text is None:
        blocks = (TextContent(text=structured.decode()), *blocks)
    error = {"status": status, "detail": text or "the tool failed"} if status >= 400 else None
    return Outcome(blocks, structured, error, status)


def _structured(result: _Result) -> bytes | None:
    return bytes(result.structured) if bytes(result.structured) != b"null" else None
