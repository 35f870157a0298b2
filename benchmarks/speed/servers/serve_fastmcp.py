"""FastMCP's `from_fastapi`, stateless and with JSON answers, which is its fastest."""

from fastmcp import FastMCP

from benchmarks.speed.app import make_app
from benchmarks.speed.servers.served import serve

serve(FastMCP.from_fastapi(make_app()).http_app(path="/mcp", stateless_http=True, json_response=True))
