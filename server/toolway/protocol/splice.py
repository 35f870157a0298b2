"""Results of ``tools/call`` as bytes: the endpoint's own JSON is set in as it came, and is never built up again."""

from __future__ import annotations

from typing import Any

import msgspec
from mcp.server.lowlevel import Server
from mcp_types import SERVER_INFO_META_KEY
from msgspec import Raw
from pydantic_core import to_json

from toolway.calls import Outcome, Text
from toolway.catalog import Tool
from toolway.protocol.results import MODERN, tool_result

__all__ = ["Writer"]

_encode = msgspec.json.Encoder().encode  # text takes two thirds of the time that others take


class _TextBlock(msgspec.Struct, tag_field="type", tag="text"):
    text: str


class _Wrapped(msgspec.Struct):
    result: Raw


class _Result(msgspec.Struct, rename="camel"):
    """A success as handshake revisions have it."""

    content: tuple[_TextBlock]
    is_error: bool
    structured_content: Raw | _Wrapped


class _ModernResult(_Result, rename="camel"):
    result_type: str
    meta: Raw = msgspec.field(name="_meta")


class _Reply(msgspec.Struct):
    jsonrpc: str
    id: Raw
    result: _Result | Raw


class Writer:
    """Writes JSON-RPC replies for one server."""

    def __init__(self, server: Server[Any]) -> None:
        self._stamp = {SERVER_INFO_META_KEY: server.server_info_stamp}
        self._meta = Raw(to_json(self._stamp))

    def reply(self, number: str | int, result: bytes) -> bytes:
        """Wrap a result that is written already."""
        return _wrapped(number, Raw(result))

    def tool_reply(self, number: str | int, tool: Tool, outcome: Outcome, version: str) -> bytes:
        """Write the reply to one call."""
        text = outcome.content[0]
        if outcome.is_error or outcome.structured is None or not isinstance(text, Text):
            return self.reply(number, self._whole(tool, outcome, version))
        content, structured = (_TextBlock(text.text),), Raw(outcome.structured)
        if version >= MODERN:
            return _wrapped(number, _ModernResult(content, False, structured, "complete", self._meta))
        is_wrapped = tool.wraps_output or outcome.structured.lstrip()[:1] != b"{"
        return _wrapped(number, _Result(content, False, _Wrapped(structured) if is_wrapped else structured))

    def _whole(self, tool: Tool, outcome: Outcome, version: str) -> bytes:
        """Write what is not plain JSON as the SDK would."""
        result = tool_result(tool, outcome, version).model_dump(by_alias=True, mode="json", exclude_none=True)
        if version >= MODERN:
            result |= {"resultType": "complete", "_meta": {**result.get("_meta", {}), **self._stamp}}
        else:
            result.pop("resultType", None)  # the SDK's model has it for every revision
        return to_json(result)


def _wrapped(number: str | int, result: _Result | Raw) -> bytes:
    return _encode(_Reply("2.0", Raw(to_json(number)), result))
