"""Results of ``tools/call`` as bytes: the endpoint's own JSON is set in as it came, and is never built up again."""

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

__all__ = ["Writer"]

_quoted = msgspec.json.Encoder().encode  # of text, in two thirds of the time that others take


class Writer:
    """Writes JSON-RPC replies for one server, each in pieces: as few as there can be without a copy of a large one."""

    def __init__(self, server: Server[Any]) -> None:
        self._stamp = {SERVER_INFO_META_KEY: server.server_info_stamp}
        self._end = b',"resultType":"complete","_meta":' + to_json(self._stamp) + b"}}"

    def reply(self, number: str | int, result: bytes) -> tuple[bytes, ...]:
        """Wrap a result that is written already."""
        return _head(number), result, b"}"

    def tool_reply(self, number: str | int, tool: Tool, outcome: Outcome, revision: Revision) -> tuple[bytes, ...]:
        """Write the reply to one call."""
        structured = outcome.structured
        if outcome.is_error or structured is None or outcome.blocks:
            return self.reply(number, self._whole(tool, outcome, revision))
        opening, end = b"", self._end if revision.has_result_envelope else b"}}"
        if revision.wraps_structured_content and (tool.wraps_output or structured.lstrip()[:1] != b"{"):
            opening, end = b'{"result":', b"}}}"
        return (
            _head(number) + b'{"content":[{"type":"text","text":',
            _quoted(structured.decode()),
            b'}],"isError":false,"structuredContent":' + opening,
            structured,
            end,
        )

    def _whole(self, tool: Tool, outcome: Outcome, revision: Revision) -> bytes:
        """Write what is not plain JSON as the SDK would."""
        result = result_members(tool, outcome, revision)
        if revision.has_result_envelope:
            result |= {"resultType": "complete", "_meta": {**result.get("_meta", {}), **self._stamp}}
        return to_json(result)


def _head(number: str | int) -> bytes:
    return b'{"jsonrpc":"2.0","id":' + to_json(number) + b',"result":'
