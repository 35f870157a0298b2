"""Requests that Schemathesis makes up from an application's document, sent over plain HTTP and as tool calls."""
