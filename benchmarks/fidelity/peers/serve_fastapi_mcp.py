"""fastapi-mcp in front of one of the suite's applications; ``--without-killers`` leaves out what stops it."""

from __future__ import annotations

import sys

from fastapi import FastAPI
from fastapi_mcp import FastApiMCP
from starlette.routing import BaseRoute

from benchmarks.fidelity.peers.served import application, chapters, credential_headers, options, serve


def stops_it(route: BaseRoute) -> bool:
    """Return whether an application with only this route fails."""
    alone = FastAPI()
    alone.router.routes.append(route)
    try:
        FastApiMCP(alone)
    except Exception:  # noqa: BLE001 - whatever it dies of
        return True
    return False


if options().without_killers:
    for chapter in chapters():
        for route in [route for route in chapter.router.routes if stops_it(route)]:
            chapter.router.routes.remove(route)
            print(f"left out: {getattr(route, 'path', route)}", file=sys.stderr, flush=True)

app = application()
# By default it passes on the Authorization header alone.
FastApiMCP(app, headers=credential_headers()).mount_http()
serve(app)
