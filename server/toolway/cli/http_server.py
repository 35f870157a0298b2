"""HTTP serving with uvicorn."""

from __future__ import annotations

import copy
import errno
import inspect
import logging
import math
import multiprocessing
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import util
from multiprocessing.synchronize import Lock
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import LOGGING_CONFIG
from uvicorn.supervisors import Multiprocess

from toolway.app import Toolway, engine_of
from toolway.cli.app_loader import load_toolway
from toolway.cli.app_source import AppSource
from toolway.cli.output_streams import configure_logging, echo, has_color, print_error
from toolway.cli.startup_messages import ServerAddress, StartupReporter, iter_announcement
from toolway.console.offline_docs import serve_docs_offline
from toolway.elicitation import new_key, share_key
from toolway.errors import ConfigurationError
from toolway.openapi import has_path, iter_applications
from toolway.protocol.http.worker_processes import mark_as_worker

__all__ = ["serve_http"]

_ERROR_RESPONSE_SECONDS = 0.5
"""Time for error responses to calls that did not finish within the `shutdown_seconds` setting."""
_STARTUP_FAILURE = 3
"""uvicorn's exit code for a failed startup; older releases define it in another module."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_HEALTH_CHECK_SECONDS = 30
"""Time after which the supervisor replaces an unresponsive worker; a worker does not respond during imports."""


def serve_http(source: AppSource, host: str, port: int, workers: int) -> int:
    """Serve an application until SIGINT or SIGTERM, and return the exit code.

    Raises:
        ConfigurationError: the address cannot be listened on, or the application cannot be loaded.
    """
    toolway = _load_mounted(source)  # also with workers, so that an error is reported once, before any of them starts
    if workers > 1 and toolway.settings.stateful:
        raise ConfigurationError(
            f"sessions (TOOLWAY_STATEFUL=true) need a single process, got --workers {workers}; turn off one of the two"
        )
    with _listen(host, port) as listener:
        _limit_stalled_connections(listener, toolway.settings.send_seconds)
        address = ServerAddress(host, listener.getsockname()[1])
        if workers == 1:
            return _serve_in_process(toolway, address, listener)
        return _serve_with_workers(source, toolway, address, listener, workers)


def _load_mounted(source: AppSource) -> Toolway:
    toolway = load_toolway(source)
    if toolway.path is None:
        # The application may use the default path, for example for its own MCP server.
        toolway.mount("/toolway/mcp" if has_path(toolway.app, "/mcp") else "/mcp")
    engine = engine_of(toolway)
    if not engine.mounts[0].is_reached:
        raise ConfigurationError(
            f"{toolway.app.title!r} does not include the router that MCP is mounted on; pass the application that does"
        )
    for app in {id(app): app for site in (engine.app, engine.site) for app in iter_applications(site)}.values():
        serve_docs_offline(app)
    return toolway


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(_describe_bind_error(error, host, port)) from error


def _limit_stalled_connections(listener: socket.socket, seconds: float) -> None:
    """Let the operating system close connections whose client does not read for this long, where supported (Linux).

    uvicorn closes a connection only after its whole buffer has been read. Accepted sockets inherit the option.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, math.ceil(seconds * 1000))


def _describe_bind_error(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is already in use; choose another with --port (0 picks a free port)"
    if error.errno == errno.EACCES:
        return f"no permission to listen on port {port}; choose one above 1023 with --port"
    return f"cannot listen on {host!r}: {error.strerror}; choose an address of this machine with --host"


def _serve_in_process(toolway: Toolway, address: ServerAddress, listener: socket.socket) -> int:
    app = StartupReporter(toolway, lambda: echo("\n".join(iter_announcement(toolway, address)), err=True), print_error)
    server = _Server(_create_config(app, toolway, logging.WARNING))
    for number in _SIGNALS:  # uvicorn raises them again after shutdown
        signal.signal(number, signal.SIG_DFL)
    try:
        server.run(sockets=[listener])
    except SystemExit as stop:
        return 2 if stop.code == _STARTUP_FAILURE else 1
    return 0 if server.started else 2  # before 0.36, uvicorn returns after a failed startup


def _serve_with_workers(
    source: AppSource, toolway: Toolway, address: ServerAddress, listener: socket.socket, workers: int
) -> int:
    worker = _WorkerApp(source, address, new_key(), multiprocessing.get_context("spawn").Lock())
    config = _create_config(worker, toolway, logging.INFO, factory=True, workers=workers)
    config.timeout_worker_healthcheck = _HEALTH_CHECK_SECONDS
    # Older releases of uvicorn take the function that a worker runs.
    older = {"target": partial(_run_worker, config)} if "target" in inspect.signature(Multiprocess).parameters else {}
    supervisor = _Supervisor(config, sockets=[listener], **older)
    supervisor.run()
    if supervisor.received is not None:
        _end_by_signal(supervisor.received)
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
            _flush_streams()


def _end_by_signal(number: int) -> None:
    """End this process with a signal."""
    cast("Any", util)._exit_function()  # noqa: SLF001 - removes the workers' semaphore, as a normal exit would
    _flush_streams()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _flush_streams() -> None:
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


def _create_config(app: Any, toolway: Toolway, level: int, **options: Any) -> uvicorn.Config:
    log_config = copy.deepcopy(LOGGING_CONFIG)
    log_config["loggers"]["uvicorn.error"]["level"] = level
    options |= {
        "timeout_graceful_shutdown": toolway.settings.shutdown_seconds + _ERROR_RESPONSE_SECONDS,
        "use_colors": None if has_color() else False,
    }
    return uvicorn.Config(app, lifespan="on", log_config=log_config, **options)


@dataclass(frozen=True, slots=True)
class _WorkerApp:
    """The application factory of a worker process."""

    source: AppSource
    address: ServerAddress
    key: str = field(repr=False)
    """The encryption key of all workers if the settings have none, so that any worker can read an answer."""
    print_lock: Lock
    """Acquired once, and never released, by the worker that prints for all of them."""

    def __call__(self) -> ASGIApp:
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        configure_logging()
        share_key(self.key)
        mark_as_worker()
        toolway = _load_mounted(self.source)
        return StartupReporter(toolway, lambda: self._announce(toolway), self._print_error)

    def _announce(self, toolway: Toolway) -> None:
        if self.print_lock.acquire(block=False):
            echo("\n".join(iter_announcement(toolway, self.address)), err=True)

    def _print_error(self, text: str) -> None:
        if self.print_lock.acquire(block=False):
            print_error(text)
