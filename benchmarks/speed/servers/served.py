"""The common part of the servers: one worker, uvloop and httptools, no access log."""

from __future__ import annotations

import sys

import uvicorn
from starlette.types import ASGIApp

__all__ = ["serve"]


def serve(app: ASGIApp) -> None:
    """Serve on loopback, on the port of the command line, until the harness ends the process."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=600,
    )
