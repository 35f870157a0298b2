"""FastMCP's `from_fastapi` in front of one of the suite's applications, mounted beside it."""

from __future__ import annotations

from fastmcp import FastMCP
from fastmcp.utilities.lifespan import combine_lifespans
from starlette.applications import Starlette
from starlette.routing import Mount

from benchmarks.fidelity.peers.served import application, serve

app = application()
tools = FastMCP.from_fastapi(app).http_app(path="/")
# It does not run the application's lifespan, so the outer application does.
lifespan = combine_lifespans(lambda _: app.router.lifespan_context(app), tools.lifespan)
serve(Starlette(routes=[Mount("/mcp", tools), Mount("/", app)], lifespan=lifespan))
