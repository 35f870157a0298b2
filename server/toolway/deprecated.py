"""Features that MCP 2026-07-28 has deprecated: logging to the client, sampling, and roots."""

from toolway.calls import Log
from toolway.elicitation import Root, Roots, Sampling

__all__ = ["Log", "Root", "Roots", "Sampling"]
