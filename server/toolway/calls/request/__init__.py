"""Conversion of tool arguments to an HTTP request."""
