"""Serving over HTTP with uvicorn."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolway._toolway import Toolway
from toolway.cli.loading import Source, load_toolway
from toolway.errors import ConfigurationError, ToolwayError

__all__ = ["serve_http", "served_from_environment"]

_APP = "TOOLWAY_CLI_APP"
_FOLDER = "TOOLWAY_CLI_FOLDER"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def serve_http(source: Source, host: str, port: int, workers: int) -> None:
    """Serve an application until it is interrupted.

    Raises:
        ConfigurationError: the address cannot be listened on, or the application does not start as configured.
    """
    listening = _listen(host, port)
    try:
        address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        if workers == 1:
            _serve_here(_mounted(source), listening, address, host)
        else:
            _serve_by_workers(source, listening, address, workers, host)
    finally:
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {why}; choose another with --port or --host"
        ) from error
    return listening


def _mounted(source: Source) -> Toolway:
    toolway = load_toolway(source)
    return toolway if toolway.path else toolway.mount()


def _serve_here(toolway: Toolway, listening: socket.socket, address: str, host: str) -> None:
    app = _PlainFailures(toolway.app)
    server = _Server(uvicorn.Config(app, lifespan="on"), lambda: _announce(toolway, address, host))
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has ended in good order by then
        server.run(sockets=[listening])
    if app.failure is not None:
        raise app.failure
    if not server.started:
        raise ConfigurationError("the application did not start; its log above says why")


def _serve_by_workers(source: Source, listening: socket.socket, address: str, workers: int, host: str) -> None:
    """Every worker imports the application for itself; what to import travels in the environment."""
    toolway = _mounted(source)  # what cannot be loaded is said once, before any worker starts
    os.environ.update({_APP: source.text, _FOLDER: str(source.folder)})
    _announce(toolway, address, host)
    worker = f"{__name__}:{served_from_environment.__name__}"
    uvicorn.run(worker, factory=True, fd=listening.fileno(), workers=workers, lifespan="on")


def served_from_environment() -> ASGIApp:
    """Load what a worker serves."""
    return _PlainFailures(_mounted(Source(os.environ[_APP], Path(os.environ[_FOLDER]))).app)


def _announce(toolway: Toolway, address: str, host: str) -> None:
    lines = [f"MCP endpoint  {address}{toolway.path}"]
    if toolway.app.docs_url and toolway.app.openapi_url:
        lines.append(f"Swagger UI    {address}{toolway.app.docs_url}")
    if (
        host not in _LOOPBACK
        and toolway.settings.allowed_hosts == type(toolway.settings).model_fields["allowed_hosts"].default
    ):
        lines.append(
            "Only this machine is served yet: name your host in TOOLWAY_ALLOWED_HOSTS, as '[\"api.example.com\"]'"
        )
    click.echo("\n".join(lines), err=True)


class _Server(uvicorn.Server):
    """Says where it can be reached once it can be: uvicorn is silent about sockets that it is handed."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


class _PlainFailures:
    """Lets toolway's own complaints at start-up be one line in place of a traceback."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self.failure: ToolwayError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, self._without_traceback(send))
        except ToolwayError as error:
            self.failure = error
            await send({"type": "lifespan.startup.failed", "message": ""})

    def _without_traceback(self, send: Send) -> Send:
        held: list[Message] = []

        async def sender(message: Message) -> Any:
            if message["type"] == "lifespan.startup.failed":
                held.append(message)  # the exception comes next, and says whether this is ours
            else:
                await send(message)

        return sender
