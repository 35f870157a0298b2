"""JSON-RPC responses as bytes, into which the endpoint's own JSON is inserted without parsing it."""

from __future__ import annotations

from typing import Any

import msgspec
from mcp.server.lowlevel import Server
from mcp_types import SERVER_INFO_META_KEY
from pydantic_core import to_json

from toolway.calls import Outcome
from toolway.catalog import Tool
from toolway.protocol.results import result_members
from toolway.protocol.versions import Revision

__all__ = ["ResultWriter"]

_encode_text = msgspec.json.Encoder().encode  # takes two thirds of the time of other encoders


class ResultWriter:
    """Writes responses for one server, each in as few pieces as possible without copying a large one."""

    def __init__(self, server: Server[Any]) -> None:
        self._stamp = {SERVER_INFO_META_KEY: server.server_info_stamp}
        self._envelope_end = b',"resultType":"complete","_meta":' + to_json(self._stamp) + b"}}"

    def reply(self, number: str | int, result: bytes) -> tuple[bytes, ...]:
        """Return the response with a result that is already JSON."""
        return b'{"jsonrpc":"2.0","id":' + to_json(number) + b',"result":', result, b"}"

    def tool_reply(self, number: str | int, tool: Tool, outcome: Outcome, revision: Revision) -> tuple[bytes, ...]:
        """Return the response to a tool call."""
        structured = outcome.structured
        if structured is None or outcome.blocks or outcome.is_error:
            return self.reply(number, self._sdk_result(tool, outcome, revision))
        start, end = b"", self._envelope_end if revision.has_result_envelope else b"}}"
        if revision.wraps_structured_content and (tool.wraps_output or structured.lstrip()[:1] != b"{"):
            start, end = b'{"result":', b"}}}"
        return (
            b'{"jsonrpc":"2.0","id":' + to_json(number) + b',"result":{"content":[{"type":"text","text":',
            _encode_text(structured.decode()),
            b'}],"isError":false,"structuredContent":' + start,
            structured,
            end,
        )

    def _sdk_result(self, tool: Tool, outcome: Outcome, revision: Revision) -> bytes:
        """Return a result that is not plain JSON, as the SDK would write it."""
        result = result_members(tool, outcome, revision)
        if revision.has_result_envelope:
            result |= {"resultType": "complete", "_meta": {**result.get("_meta", {}), **self._stamp}}
        return to_json(result)
