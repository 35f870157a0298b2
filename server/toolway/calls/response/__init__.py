"""Conversion of an HTTP response to the outcome of a tool call."""
