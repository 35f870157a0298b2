"""Refusals of the HTTP layer, as JSON-RPC errors: a client shows the reason in place of a bare status."""

from __future__ import annotations

import json

from mcp_types import INTERNAL_ERROR, INVALID_REQUEST
from starlette.types import Send

__all__ = ["HTTPRejection", "refuse"]


class HTTPRejection(Exception):  # noqa: N818 - it is an answer, not a fault
    """A request that is answered with an error and goes no further."""

    def __init__(
        self,
        status: int,
        message: str,
        *headers: tuple[bytes, bytes],
        code: int | None = None,
        request_id: str | int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers
        self.code = code or (INTERNAL_ERROR if status >= 500 else INVALID_REQUEST)
        self.request_id = request_id
        """The id of the refused request, repeated where it is known."""


async def refuse(send: Send, refusal: HTTPRejection) -> None:
    """Write a refusal as the answer to an HTTP request."""
    error = {"code": refusal.code, "message": refusal.message}
    body = json.dumps({"jsonrpc": "2.0", "id": refusal.request_id, "error": error}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *refusal.headers,
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
