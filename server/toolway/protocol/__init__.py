"""MCP itself, in both eras: 2026-07-28, and the handshake revisions before it."""

from toolway.protocol.caller import call_context
from toolway.protocol.endpoint import Endpoint
from toolway.protocol.server import build_server
from toolway.protocol.stdio import standard_streams

__all__ = ["Endpoint", "build_server", "call_context", "standard_streams"]
