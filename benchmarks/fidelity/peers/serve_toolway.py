"""toolway in front of one of the suite's applications."""

from __future__ import annotations

from benchmarks.fidelity.peers.served import application, serve
from toolway import Settings, Toolway

app = application()
# Endless answers are closed after a second, for the suite waits ten seconds for an answer.
Toolway(
    app,
    settings=Settings(
        _env_file=None, stream_seconds=1, result_tokens=0, output_schemas=True, catalog="list", schemas="full"
    ),
).mount()
serve(app)
