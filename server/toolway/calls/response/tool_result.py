"""Results that an endpoint writes itself: any content of MCP, beside structured content or without it.

Over plain HTTP such a result is an ordinary response. For a tool call it is written under a media type of its own, in
which it passes the application's middleware like any other answer.
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

from toolway.calls.response.outcome import Outcome
from toolway.calls.scope import CONTEXT_KEY
from toolway.content import AudioContent, Content, EmbeddedResource, ImageContent, TextContent

__all__ = ["TOOL_RESULT_MEDIA_TYPE", "ToolResult", "plain_answer", "written_outcome"]

TOOL_RESULT_MEDIA_TYPE = "application/vnd.toolway.result+json"
"""The media type of a result on its way from the endpoint to the caller of the tool."""

_Given: TypeAlias = Content | str
_BLOCKS = TypeAdapter[list[Content]](list[Content])


class ToolResult(Response):
    """What an endpoint hands to an agent when plain data is not enough: any mix of content, and structured content.

    Over plain HTTP the structured content is the answer, as JSON; without any, a single text, picture, sound or
    embedded resource is the answer itself, and other content comes as JSON.

    Args:
        content: one piece of content or several; a text stands for its `TextContent`.
        structured: what a program reads, anything that Pydantic can write as JSON; ``response_model=`` of the route
            gives it a schema, which is not checked here. Agents get it as text, too, unless `content` has a text.
        status_code: of the answer over plain HTTP; with 400 or more the tool has failed.
        headers: of the answer over plain HTTP.
        background: work to do after the answer.
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
    """The answer over plain HTTP, and its media type."""
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


def plain_answer(body: bytes) -> tuple[bytes, str]:
    """Return what a result that an endpoint has written is over plain HTTP: the answer, and its media type.

    Raises:
        ValueError: it is none.
    """
    result = _RESULT.decode(body)
    return _plain(_BLOCKS.validate_python(result.content), _structured(result))


def written_outcome(body: bytes, status: int) -> Outcome:
    """Read a result that an endpoint has written.

    Raises:
        ValueError: it is none.
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
