"""HTTP serving with uvicorn."""

from __future__ import annotations

import copy
import errno
import inspect
import json
import logging
import math
import multiprocessing
import signal
import socket
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import util
from multiprocessing.synchronize import Lock
from typing import Any, cast

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import LOGGING_CONFIG
from uvicorn.supervisors import Multiprocess

from toolway.app import Toolway, engine_of
from toolway.catalog import Catalog
from toolway.cli.app_loader import Source, load_toolway
from toolway.cli.app_runner import start_failure
from toolway.cli.output import complain, echo, has_color, prepare_logging
from toolway.cli.show import NOTHING, is_unexplained
from toolway.console.offline_docs import serve_docs_offline
from toolway.elicitation import new_key, share_key
from toolway.errors import ConfigurationError
from toolway.lint import BYTES_PER_TOKEN
from toolway.mounts import McpMount, mounts_on
from toolway.openapi import has_path, iter_applications
from toolway.protocol.http.worker_processes import mark_as_worker

__all__ = ["serve_http"]

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, never bound here
_ANSWER_SECONDS = 0.5
"""Time for error responses to calls that did not finish within the `shutdown_seconds` setting."""
_STARTUP_FAILURE = 3
"""uvicorn's exit code for a failed startup; older releases define it in another module."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SILENT_SECONDS = 30
"""Time after which the supervisor replaces an unresponsive worker; a worker does not respond during imports."""


def serve_http(source: Source, host: str, port: int, workers: int) -> int:
    """Serve an application until SIGINT or SIGTERM, and return the exit code.

    Raises:
        ConfigurationError: the address cannot be listened on, or the application cannot be loaded.
    """
    toolway = _mounted(source)  # also with workers, so that an error is reported once, before any of them starts
    if workers > 1 and toolway.settings.stateful:
        raise ConfigurationError(
            f"sessions (TOOLWAY_STATEFUL=true) need a single process, got --workers {workers}; turn off one of the two"
        )
    with _listen(host, port) as listener:
        _limit_stalled_connections(listener, toolway.settings.send_seconds)
        address = _Address(host, listener.getsockname()[1])
        if workers == 1:
            return _serve_here(toolway, address, listener)
        return _serve_by_workers(source, toolway, address, listener, workers)


def _mounted(source: Source) -> Toolway:
    toolway = load_toolway(source)
    if toolway.path is None:
        toolway.mount(_free_path(toolway.app))
    engine = engine_of(toolway)
    if not engine.mounts[0].is_reached:
        raise ConfigurationError(
            f"{toolway.app.title!r} does not include the router that MCP is mounted on; pass the application that does"
        )
    for app in {id(app): app for site in (engine.app, engine.site) for app in iter_applications(site)}.values():
        serve_docs_offline(app)
    return toolway


def _free_path(app: FastAPI) -> str:
    """Return the default mount path, or another one if the application uses it, e.g. for its own MCP server."""
    return "/toolway/mcp" if has_path(app, "/mcp") else "/mcp"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(_why_not(error, host, port)) from error


def _limit_stalled_connections(listener: socket.socket, seconds: float) -> None:
    """Let the operating system close connections whose client does not read for this long, where supported (Linux).

    uvicorn closes a connection only after its whole buffer has been read. Accepted sockets inherit the option.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, math.ceil(seconds * 1000))


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is already in use; choose another with --port (0 picks a free port)"
    if error.errno == errno.EACCES:
        return f"no permission to listen on port {port}; choose one above 1023 with --port"
    return f"cannot listen on {host!r}: {error.strerror}; choose an address of this machine with --host"


@dataclass(frozen=True, slots=True)
class _Address:
    host: str
    port: int

    @property
    def url(self) -> str:
        """The URL for a browser on this machine."""
        name = _EVERYWHERE.get(self.host, self.host)
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}"


def _serve_here(toolway: Toolway, address: _Address, listener: socket.socket) -> int:
    app = _StartupReporter(toolway, lambda: echo("\n".join(_announcement(toolway, address)), err=True), complain)
    server = _Server(_config(app, toolway, logging.WARNING))
    for number in _SIGNALS:  # uvicorn raises them again after shutdown
        signal.signal(number, signal.SIG_DFL)
    try:
        server.run(sockets=[listener])
    except SystemExit as stop:
        return 2 if stop.code == _STARTUP_FAILURE else 1
    return 0 if server.started else 2  # before 0.36, uvicorn returns after a failed startup


def _serve_by_workers(
    source: Source, toolway: Toolway, address: _Address, listener: socket.socket, workers: int
) -> int:
    worker = _Worker(source, address, new_key(), multiprocessing.get_context("spawn").Lock())
    config = _config(worker, toolway, logging.INFO, factory=True, workers=workers)
    config.timeout_worker_healthcheck = _SILENT_SECONDS
    # Older releases of uvicorn take the function that a worker runs.
    older = {"target": partial(_run_worker, config)} if "target" in inspect.signature(Multiprocess).parameters else {}
    supervisor = _Supervisor(config, sockets=[listener], **older)
    supervisor.run()
    if supervisor.received is not None:
        _end_supervisor(supervisor.received)
    failed = any(process.process.exitcode == _STARTUP_FAILURE for process in supervisor.processes)
    return 2 if failed else 0


def _run_worker(config: uvicorn.Config, sockets: list[socket.socket] | None) -> None:
    """Serve in a worker process; after a failed startup exit as newer releases of uvicorn do."""
    server = uvicorn.Server(config)
    server.run(sockets)
    if not server.started:
        sys.exit(_STARTUP_FAILURE)


class _Server(uvicorn.Server):
    """A server whose process ends by the signal it received, as with uvicorn's command, without joining threads."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        with super().capture_signals():
            yield
            _flush()


def _end_supervisor(number: int) -> None:
    """End this process with a signal."""
    cast("Any", util)._exit_function()  # noqa: SLF001 - removes the workers' semaphore, as a normal exit would
    _flush()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _flush() -> None:
    """Flush stdout and stderr, whose buffers a process that ends by a signal loses."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed
            stream.flush()


class _Supervisor(Multiprocess):
    """A supervisor that notices the end of a worker while it waits for a health check."""

    received: int | None = None
    """The signal that stopped the supervisor."""

    def handle_int(self) -> None:
        self.received = signal.SIGINT
        super().handle_int()

    def handle_term(self) -> None:
        self.received = signal.SIGTERM
        super().handle_term()

    def keep_subprocess_alive(self) -> None:
        if any(process.process.exitcode == _STARTUP_FAILURE for process in self.processes):
            self.should_exit.set()  # older releases of uvicorn would restart it forever
            return
        for process in self.processes:
            process.child_conn.close()  # the worker's end, so that reading from the pipe fails when the worker ends
        with suppress(EOFError, ConnectionError):  # older releases of uvicorn do not handle these
            super().keep_subprocess_alive()


def _config(app: Any, toolway: Toolway, level: int, **options: Any) -> uvicorn.Config:
    log_config = copy.deepcopy(LOGGING_CONFIG)
    log_config["loggers"]["uvicorn.error"]["level"] = level
    options |= {
        "timeout_graceful_shutdown": toolway.settings.shutdown_seconds + _ANSWER_SECONDS,
        "use_colors": None if has_color() else False,
    }
    return uvicorn.Config(app, lifespan="on", log_config=log_config, **options)


@dataclass(frozen=True, slots=True)
class _Worker:
    """The application factory of a worker process."""

    source: Source
    address: _Address
    key: str = field(repr=False)
    """The encryption key of all workers if the settings have none, so that any worker can read an answer."""
    speaks: Lock
    """Acquired once, and never released, by the worker that prints for all of them."""

    def __call__(self) -> ASGIApp:
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        prepare_logging()
        share_key(self.key)
        mark_as_worker()
        toolway = _mounted(self.source)
        return _StartupReporter(toolway, lambda: self._announce(toolway), self._complain)

    def _announce(self, toolway: Toolway) -> None:
        if self.speaks.acquire(block=False):
            echo("\n".join(_announcement(toolway, self.address)), err=True)

    def _complain(self, text: str) -> None:
        if self.speaks.acquire(block=False):
            complain(text)


def _announcement(toolway: Toolway, address: _Address) -> Iterator[str]:
    engine = engine_of(toolway)
    site = engine.site
    places = list(mounts_on(site)) or engine.mounts[:1]  # the application may have replaced its state
    for place in places:
        tools = f"  ({_tools(place.engine.toolway)})" if len(places) > 1 else ""
        yield f"MCP endpoint  {address.url}{place.path}{tools}"
    for place in _not_started(site):
        yield f"Not started   {place.path} of {place.site.title!r}, a mounted app; use mount(on=...) to start MCP there"
    if site.docs_url and site.openapi_url:
        yield f"Swagger UI    {address.url}{site.docs_url}"
    if reminder := _host_reminder(address.host, toolway.settings.allowed_hosts):
        yield reminder
    if is_unexplained(toolway.catalog):
        yield NOTHING
    skipped = len(toolway.catalog.skipped)
    what = _tools(toolway) if len(places) == 1 else f"{len(places)} MCP endpoints"
    if toolway.catalog.tools and len(places) == 1:
        what += f" (about {_list_tokens(toolway.catalog):,} tokens)"
    if skipped:
        what += f", {skipped} {'operation' if skipped == 1 else 'operations'} skipped (see `toolway list`)"
    yield f"{' '.join(toolway.catalog.title.split())}: {what}. Press Ctrl+C to stop."


def _not_started(site: FastAPI) -> Iterator[McpMount]:
    """Yield the mounts on applications inside the served one, whose lifespans the server does not run."""
    for app in iter_applications(site):
        yield from (mount for mount in mounts_on(app) if mount.engine.running is None)


def _tools(toolway: Toolway) -> str:
    number = len(toolway.catalog.tools)
    return f"{number} {'tool' if number == 1 else 'tools'}"


def _list_tokens(catalog: Catalog) -> int:
    """Estimate the tokens of all tool definitions."""
    text = json.dumps({"tools": catalog.definitions()["tools"]}, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN


def _host_reminder(host: str, allowed: Sequence[str]) -> str:
    if host in {*_LOOPBACK, *allowed} or "*" in allowed:
        return ""
    if host in _EVERYWHERE and not _LOOPBACK.issuperset(allowed):
        return ""  # the operator has configured the names of this machine
    example = json.dumps([*allowed, "api.example.com" if host in _EVERYWHERE else host])
    return f"Allowed hosts: {', '.join(allowed)}. To allow others, set TOOLWAY_ALLOWED_HOSTS='{example}'"


class _StartupReporter:
    """ASGI middleware that announces the startup, or reports its failure in one line."""

    def __init__(self, toolway: Toolway, announce: Callable[[], None], complain: Callable[[str], None]) -> None:
        self._app = engine_of(toolway).site
        self._announce = announce
        self._complain = complain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        failures: list[Message] = []
        has_started = False

        async def listening(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "lifespan.startup.failed":
                failures.append(message)  # its text is a traceback; the exception follows
                return
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                has_started = True
                self._announce()

        try:
            await self._app(scope, receive, listening)
        except Exception as error:
            if has_started:
                raise
            self._complain(str(start_failure(error)))
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # uvicorn would report it again
            failures = [{"type": "lifespan.startup.failed", "message": ""}]
        for failure in failures:
            await send(failure)
