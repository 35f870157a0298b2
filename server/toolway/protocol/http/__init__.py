"""MCP over Streamable HTTP: the endpoint, its checks, and its response streams."""
