"""Calls of endpoints without the ASGI stack: faster, with the same result.

This package is optional: without it, every call goes through the ASGI stack. Only `calls.dispatcher` imports it.
"""
