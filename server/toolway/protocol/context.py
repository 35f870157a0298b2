"""What the SDK tells a handler of a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from mcp.server.context import ServerRequestContext

from toolway.calls import CallContext

__all__ = ["Context", "ContextOf"]

Context: TypeAlias = ServerRequestContext[Any, Any]

ContextOf: TypeAlias = Callable[[Context], CallContext]
"""Tells who calls, and over what."""
