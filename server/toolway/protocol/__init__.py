"""MCP itself, in both eras: 2026-07-28, and the handshake revisions before it."""

from toolway.protocol.call_context import CallContextFactory
from toolway.protocol.change_events import Publisher
from toolway.protocol.context import ContextOf
from toolway.protocol.handlers.elicitation import install_request_state
from toolway.protocol.http.endpoint import Endpoint
from toolway.protocol.http.lifespan import Lifespan, State, run_within
from toolway.protocol.http.mounting import place
from toolway.protocol.server import CatalogServer
from toolway.protocol.stdio import standard_streams
from toolway.protocol.wiring import Wiring

__all__ = [
    "CallContextFactory",
    "CatalogServer",
    "ContextOf",
    "Endpoint",
    "Lifespan",
    "Publisher",
    "State",
    "Wiring",
    "install_request_state",
    "place",
    "run_within",
    "standard_streams",
]
