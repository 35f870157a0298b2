"""One JSON-RPC message, read strictly and before anything else looks at it.

The SDK reads a body with another parser in each era, and quotes Pydantic to whoever sent a malformed one. Here both
eras get the same rules and the same words: UTF-8, JSON without NaN, no lone surrogates, at most 200 levels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import NoneType
from typing import Any, TypeAlias, cast

from mcp_types import HEADER_MISMATCH, INVALID_REQUEST, PARSE_ERROR, PROTOCOL_VERSION_META_KEY
from pydantic_core import from_json

from toolway.protocol.http.rejection import HTTPRejection
from toolway.protocol.versions import revision_of_header

__all__ = [
    "Headers",
    "Message",
    "check_era",
    "is_handshake",
    "read_headers",
    "read_message",
    "refusal_of",
    "request_id",
    "text_of",
]

Headers: TypeAlias = Mapping[bytes, bytes]
"""Of an HTTP request, by name; the values as they came."""

Message: TypeAlias = Mapping[str, Any]

_ONCE = frozenset(
    {b"authorization", b"content-type", b"host", b"mcp-protocol-version", b"mcp-session-id", b"origin"}
)  # two readers could pick different ones


def read_headers(pairs: Collection[tuple[bytes, bytes]]) -> Headers:
    """Return the headers by name; of those that decide something there may be one only."""
    found = dict(pairs)
    if len(found) < len(pairs):
        _check_once([name for name, _ in pairs])
    return found


def _check_once(names: list[bytes]) -> None:
    for at, name in enumerate(names):
        if name in _ONCE and name in names[:at]:
            code = HEADER_MISMATCH if name.startswith(b"mcp-") else INVALID_REQUEST
            raise HTTPRejection(400, f"The header {name.decode('latin-1')!r} came more than once", code=code)


def text_of(headers: Headers, name: bytes) -> str | None:
    """Return a header's text; blanks around it are no part of it, but uvicorn leaves them (RFC 9110, section 5.5)."""
    value = headers.get(name)
    return None if value is None else value.strip(b" \t").decode("latin-1")


def read_message(body: bytes) -> Message:
    """Read one request, notification or response.

    Raises:
        HTTPRejection: the body is no JSON (-32700), or not one JSON-RPC message (-32600).
    """
    try:
        message: object = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise HTTPRejection(400, f"The message is not valid JSON: {error}", code=PARSE_ERROR) from None
    if refusal := refusal_of(message):
        raise refusal
    return cast("Message", message)


def refusal_of(message: object) -> HTTPRejection | None:
    """Tell what keeps some JSON from being a JSON-RPC message, or None."""
    problem = _problem(message)
    return HTTPRejection(400, problem, request_id=request_id(message)) if problem else None


def _problem(message: object) -> str | None:
    if not isinstance(message, dict):
        return f"Expected one JSON-RPC message, an object, got {_kind(message)}; batches are not served"
    members = cast("Message", message)
    if members.get("jsonrpc") != "2.0":
        return "Expected the member jsonrpc to be '2.0'"
    if "id" in members and request_id(members) is None:
        return f"Expected the member id to be a string or an integer, got {_kind(members['id'])}"
    return _wrong_request(members) if "method" in members else _wrong_response(members)


def _wrong_request(members: Message) -> str | None:
    if not isinstance(members["method"], str):
        return f"Expected the member method to be a string, got {_kind(members['method'])}"
    if not isinstance(members.get("params"), (dict, NoneType)):
        return f"Expected the member params to be an object, got {_kind(members['params'])}"
    return None


def _wrong_response(members: Message) -> str | None:
    """Clients answer on handshake revisions what a server has asked them."""
    if isinstance(members.get("result"), dict) or _is_error(members.get("error")):
        return None if "id" in members else "Expected a member id: of the request that is answered"
    return "Expected a member method: its name as a string"


def _is_error(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    error = cast("Message", value)
    return isinstance(error.get("code"), int) and isinstance(error.get("message"), str)


def _kind(value: object) -> str:
    kinds: dict[type, str] = {
        list: "an array", dict: "an object", type(None): "null", str: "a string", bool: "a boolean",
    }  # fmt: skip
    return kinds.get(type(value), "a number")


def request_id(message: object) -> str | int | None:
    """The id to repeat in the answer; None for a notification, and where it cannot be told."""
    found = cast("Message", message).get("id") if isinstance(message, dict) else None
    return found if isinstance(found, (str, int)) and not isinstance(found, bool) else None


def is_handshake(version: str | None) -> bool:
    """Return whether the header MCP-Protocol-Version selects a revision with a handshake."""
    revision = revision_of_header(version)
    return revision is not None and not revision.is_stateless


def check_era(version: str | None, message: Message) -> None:
    """Refuse a request of 2026-07-28 whose header is missing or older: the SDK would serve it as the older one."""
    if not is_handshake(version) or "id" not in message or message.get("method") == "initialize":
        return
    params = message.get("params")
    meta: object = cast("Message", params).get("_meta") if isinstance(params, dict) else None
    if isinstance(meta, dict) and PROTOCOL_VERSION_META_KEY in meta:
        found = f"says {version!r}" if version else "is missing"
        text = f"The header MCP-Protocol-Version {found}, the body's _meta says {meta[PROTOCOL_VERSION_META_KEY]!r}"
        raise HTTPRejection(400, text, code=HEADER_MISMATCH, request_id=request_id(message))
