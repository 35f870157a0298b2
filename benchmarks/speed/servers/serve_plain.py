"""The endpoints alone.

``STARTS_WITH`` in the environment adds what nobody who serves tools can do without: ``document`` writes the OpenAPI
document at the start, ``document,sdk`` imports the MCP SDK's server, too.
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
