"""Corrections to the event streams of the SDK."""

from __future__ import annotations

from mcp_types import INTERNAL_ERROR
from pydantic_core import from_json
from starlette.types import Message, Send

from toolway.errors import ServerShutdownError
from toolway.protocol.http.jsonrpc import error_message
from toolway.protocol.http.response_stream import STREAM_HEADERS, event_frame

__all__ = ["DeferredEventStream", "EventStreamGuard"]

_STREAM_HEADER_NAMES = frozenset(name for name, _ in STREAM_HEADERS)


class EventStreamGuard:
    """Ends an event stream that the SDK leaves open: it abandons its streams when uvicorn receives a signal.

    Args:
        send: sends to the client.
        request_id: the request whose response belongs on the stream; None for a stream of notifications.
    """

    def __init__(self, send: Send, request_id: str | int | None) -> None:
        self._send = send
        self._request_id = request_id
        self._is_open = False

    async def send(self, event: Message) -> None:
        if event["type"] == "http.response.start":
            self._is_open = _is_event_stream(event)
        elif not event.get("more_body", False):
            self._is_open = False
        await self._send(event)

    async def complete(self) -> None:
        """End the stream if it is open, with an error as the response to its request."""
        if not self._is_open:
            return
        frame = b""
        if self._request_id is not None:
            frame = event_frame(error_message(self._request_id, INTERNAL_ERROR, str(ServerShutdownError())))
        await self._send({"type": "http.response.body", "body": frame})


class DeferredEventStream:
    """Turns an event stream of the SDK into a JSON response if its first event is the response.

    Within a session, the SDK responds to every request with an event stream. Its start is held back until it is known
    whether a notification, a request to the client, or a keep-alive comment has to be sent before the response.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._response: bytes | None = None

    async def send(self, event: Message) -> None:
        if self._response is not None:  # the rest of the stream is dropped
            return
        if event["type"] == "http.response.start" and _is_event_stream(event):
            self._start = event
            return
        if self._start is not None:
            self._response = _response_in(event.get("body", b""))
            if self._response is not None:
                return
            start, self._start = self._start, None
            await self._send(start)
        await self._send(event)

    async def finish(self) -> None:
        """Send the JSON response, once the SDK has finished the request and its id can be used again."""
        if self._start is None or self._response is None:
            return
        kept = [(name, value) for name, value in self._start["headers"] if name not in _STREAM_HEADER_NAMES]
        length = b"%d" % len(self._response)
        headers = [*kept, (b"content-type", b"application/json"), (b"content-length", length)]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": self._response})


def _is_event_stream(start: Message) -> bool:
    return any(value.startswith(b"text/event-stream") for _, value in start["headers"])


def _response_in(frame: bytes) -> bytes | None:
    """Return the JSON-RPC response in an event; None for a comment, a notification, and a request to the client."""
    _, separator, data = frame.partition(b"\r\ndata: ")
    if not separator:
        return None
    data = data.rstrip(b"\r\n")
    return None if "method" in from_json(data) else data
