"""The endpoints alone.

``STARTS_WITH`` in the environment adds work that every MCP server needs: ``document`` writes the OpenAPI document
at startup, ``document,sdk`` also imports the MCP SDK's server.
"""

import os

from benchmarks.speed.app import make_app
from benchmarks.speed.servers.served import serve

app = make_app()
added = os.environ.get("STARTS_WITH", "").split(",")
if "document" in added:
    app.openapi()
if "sdk" in added:
    import mcp.server.streamable_http_manager  # noqa: F401
serve(app)
