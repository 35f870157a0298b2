"""fastapi-mcp."""

from fastapi_mcp import FastApiMCP

from benchmarks.speed.app import make_app
from benchmarks.speed.servers.served import serve

app = make_app()
FastApiMCP(app).mount_http()
serve(app)
