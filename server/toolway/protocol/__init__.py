"""The Model Context Protocol: MCP 2026-07-28 and the revisions before it (2024-11-05 to 2025-11-25)."""

from toolway.protocol.change_events import Publisher
from toolway.protocol.handlers.elicitation import install_request_state
from toolway.protocol.http.endpoint import Endpoint
from toolway.protocol.principals import Principals
from toolway.protocol.server import CatalogServer, ServerConfig
from toolway.protocol.stdio import standard_streams

__all__ = [
    "CatalogServer",
    "Endpoint",
    "Principals",
    "Publisher",
    "ServerConfig",
    "install_request_state",
    "standard_streams",
]
