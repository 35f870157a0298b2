"""Calls of endpoints past the ASGI stack: faster, with the same result."""
