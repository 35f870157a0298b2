"""MCP itself, in both eras: 2026-07-28, and the handshake revisions before it."""

from toolway.protocol.call_context import CallContextFactory
from toolway.protocol.change_events import Publisher
from toolway.protocol.context import ContextOf
from toolway.protocol.handlers.elicitation import install_request_state
from toolway.protocol.http.endpoint import Endpoint
from toolway.protocol.server import CatalogServer
from toolway.protocol.stdio import standard_streams
from toolway.protocol.wiring import Wiring

__all__ = [
    "CallContextFactory",
    "CatalogServer",
    "ContextOf",
    "Endpoint",
    "Publisher",
    "Wiring",
    "install_request_state",
    "standard_streams",
]
