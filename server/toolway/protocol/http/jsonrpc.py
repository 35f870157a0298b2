"""JSON-RPC over HTTP: strict parsing of one message, and errors as responses.

The SDK parses bodies with a different parser for each era, and returns Pydantic's messages for malformed ones. Here all
revisions get the same rules and errors: UTF-8, JSON without NaN, no lone surrogates, at most 200 levels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import NoneType
from typing import Any, TypeAlias, cast

from mcp_types import HEADER_MISMATCH, INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR, PROTOCOL_VERSION_META_KEY
from pydantic_core import from_json, to_json
from starlette.types import Send

from toolway.protocol.versions import REVISIONS_BY_HEADER

__all__ = [
    "HTTPRejection",
    "Headers",
    "Message",
    "check_version_header",
    "error_message",
    "has_handshake",
    "header_text",
    "message_rejection",
    "read_headers",
    "read_message",
    "request_id",
    "send_rejection",
]

Headers: TypeAlias = Mapping[bytes, bytes]
"""The headers of an HTTP request by lower-case name, with their raw values."""

Message: TypeAlias = Mapping[str, Any]

_UNIQUE_HEADERS = frozenset(
    {b"authorization", b"content-type", b"host", b"mcp-protocol-version", b"mcp-session-id", b"origin"}
)
"""Headers that must not be repeated, as two readers could pick different values."""


class HTTPRejection(Exception):  # noqa: N818 - a response, not a fault
    """A request that is rejected with an HTTP status and a JSON-RPC error, which clients show to their users."""

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
        """The id of the rejected request, if it is known."""


async def send_rejection(send: Send, rejection: HTTPRejection) -> None:
    body = error_message(rejection.request_id, rejection.code, rejection.message)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        *rejection.headers,
    ]
    await send({"type": "http.response.start", "status": rejection.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def error_message(request_id: str | int | None, code: int, text: str) -> bytes:
    """Return a JSON-RPC error response."""
    return to_json({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": text}})


def read_headers(pairs: Collection[tuple[bytes, bytes]]) -> Headers:
    """Return the headers by name.

    Raises:
        HTTPRejection: a header that must be unique is repeated.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        for index, name in enumerate(names):
            if name in _UNIQUE_HEADERS and name in names[:index]:
                code = HEADER_MISMATCH if name.startswith(b"mcp-") else INVALID_REQUEST
                raise HTTPRejection(400, f"The header {name.decode('latin-1')!r} was sent more than once", code=code)
    return found


def header_text(headers: Headers, name: bytes) -> str | None:
    """Return the value of a header without surrounding blanks, which uvicorn keeps (RFC 9110, section 5.5)."""
    value = headers.get(name)
    return None if value is None else value.strip(b" \t").decode("latin-1")


def read_message(body: bytes) -> Message:
    """Parse one request, notification or response.

    Raises:
        HTTPRejection: the body is not JSON (-32700), or not one JSON-RPC message (-32600).
    """
    try:
        message: object = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise HTTPRejection(400, f"The request body is not valid JSON: {error}", code=PARSE_ERROR) from None
    if rejection := message_rejection(message):
        raise rejection
    return cast("Message", message)


def message_rejection(message: object) -> HTTPRejection | None:
    """Return the reason why a JSON value is not a JSON-RPC message; None if it is one."""
    if not isinstance(message, dict):
        problem = f"Expected one JSON-RPC message, an object, got {_type_name(message)}; batches are not supported"
        return HTTPRejection(400, problem)
    members, number = cast("Message", message), request_id(cast("Message", message))
    problem = None
    if members.get("jsonrpc") != "2.0":
        problem = "Expected the member jsonrpc to be '2.0'"
    elif number is None and "id" in members:
        problem = f"Expected the member id to be a string or an integer, got {_type_name(members['id'])}"
    elif "method" not in members:
        problem = _response_problem(members)
    elif not isinstance(members["method"], str):
        problem = f"Expected the member method to be a string, got {_type_name(members['method'])}"
    elif not isinstance(members.get("params"), (dict, NoneType)):
        problem = f"Expected the member params to be an object, got {_type_name(members['params'])}"
    return HTTPRejection(400, problem, request_id=number) if problem else None


def _response_problem(members: Message) -> str | None:
    """Check a response, which clients of MCP 2024-11-05 to 2025-11-25 send to requests of the server."""
    error: object = members.get("error")
    is_error = isinstance(error, dict) and isinstance(cast("Message", error).get("code"), int)
    is_error = is_error and isinstance(cast("Message", error).get("message"), str)
    if is_error or isinstance(members.get("result"), dict):
        return None if "id" in members else "Expected the member id in a response"
    return "Expected the member method, a string"


def _type_name(value: object) -> str:
    names: dict[type, str] = {
        list: "an array", dict: "an object", type(None): "null", str: "a string", bool: "a boolean",
    }  # fmt: skip
    return names.get(type(value), "a number")


def request_id(message: Message) -> str | int | None:
    """Return the id to repeat in the response; None for a notification or an invalid id."""
    found = message.get("id")
    return found if isinstance(found, (str, int)) and not isinstance(found, bool) else None


def has_handshake(version: str | None) -> bool:
    """Return whether the header MCP-Protocol-Version selects a revision with ``initialize``."""
    revision = REVISIONS_BY_HEADER.get(version)
    return revision is not None and not revision.is_stateless


def check_version_header(headers: Headers, message: Message) -> None:
    """Reject a stateless request whose header is missing or names an older revision, which the SDK would then apply."""
    params = message.get("params")
    meta: object = cast("Message", params).get("_meta") if isinstance(params, dict) else None
    if not isinstance(meta, dict) or PROTOCOL_VERSION_META_KEY not in meta:
        return
    version = header_text(headers, b"mcp-protocol-version")
    if has_handshake(version) and "id" in message and message.get("method") != "initialize":
        found = repr(version) if version else "missing"
        text = (
            "The header MCP-Protocol-Version must match the version in _meta: "
            f"the header is {found}, _meta has {meta[PROTOCOL_VERSION_META_KEY]!r}"
        )
        raise HTTPRejection(400, text, code=HEADER_MISMATCH, request_id=request_id(message))
