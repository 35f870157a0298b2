"""Recorders of the messages of a client: an ASGI middleware, and a pass-through for stdio."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Heard", "Recorder", "heard_in", "revision_of"]

_VIA = re.compile(r"^/via/([^/]+)(/.*)$")
_VERSION_KEY = "io.modelcontextprotocol/protocolVersion"


@dataclass(frozen=True)
class Heard:
    """One message of a client."""

    method: str
    """JSON-RPC's."""
    version: str
    """The revision that the message names: in its `_meta`, in its header or, to shake hands, in its parameters."""
    agent: str = ""
    """The User-Agent."""


class Recorder:
    """Also serves an application below `/via/NAME`, and records the messages posted there under that name."""

    def __init__(self, app: ASGIApp) -> None:
        self.heard: defaultdict[str, list[Heard]] = defaultdict(list)
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request as if it had been sent to the application itself."""
        found = _VIA.match(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        name, path = found.groups()
        body = bytearray()

        async def listening() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            if message["type"] == "http.request" and body and not message.get("more_body"):
                headers = Headers(scope=scope)
                version, agent = headers.get("mcp-protocol-version", ""), headers.get("user-agent", "")
                self.heard[name].extend(_heard(bytes(body), version, agent))
            return message

        await self._app({**scope, "path": path, "raw_path": path.encode()}, listening, send)


def heard_in(lines: Iterable[bytes]) -> list[Heard]:
    """Return the messages in the standard input that a client wrote."""
    return [message for line in lines for message in _heard(line)]


def revision_of(heard: Iterable[Heard]) -> str:
    """Return the negotiated protocol version: that of the last request that names one.

    The requests after a handshake name over HTTP what was agreed. Over stdio they name nothing, so the handshake's own
    parameter counts, which toolway agrees to whenever it knows the revision.
    """
    return next((message.version for message in reversed(list(heard)) if message.version), "")


def _heard(text: bytes, version: str = "", agent: str = "") -> list[Heard]:
    message: Any = json.loads(text)
    if not isinstance(message, dict) or "method" not in message:
        return []
    params = message.get("params") or {}
    named = params.get("_meta", {}).get(_VERSION_KEY) or version or params.get("protocolVersion", "")
    return [Heard(message["method"], named, agent)]
