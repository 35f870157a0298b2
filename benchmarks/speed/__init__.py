"""The cost of a tool call relative to the plain HTTP call of the same endpoint, with toolway and other servers."""
