"""Workers stop on a signal even while their database is unreachable."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.protocol.tasking import Client
from tests.servers import PATIENCE, Process
from tests.tasks.serving import SLOTS, Ledger, uvicorn_worker, worker
from tests.tasks.test_lost_connections import start, wait_for


class Relay:
    """A TCP proxy in front of a database, until it is cut."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = parts.hostname, parts.port or 5432
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        address = f"{parts.username or 'postgres'}{f':{parts.password}' if parts.password else ''}@127.0.0.1"
        port = self._listener.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"{address}:{port}"))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Close all connections, and refuse new ones."""
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_copy, args=(source, sink), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def relayed(url: str) -> Generator[Relay]:
    relay = Relay(url)
    try:
        yield relay
    finally:
        relay.cut()


def stop_while_unreachable(
    relay: Relay, process: Process, client: Client, ledger: Ledger, number: signal.Signals
) -> int:
    """Start tasks, make the database unreachable, send a signal, and return the exit code."""
    start(client, 2 * SLOTS)
    wait_for(lambda: len(ledger.lines()), SLOTS)
    relay.cut()
    wait_for(lambda: process.output.count("The task store is unavailable"), 1)
    process.popen.send_signal(number)
    return process.popen.wait(PATIENCE)


@pytest.fixture(autouse=True)
def _short_grace_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLWAY_SHUTDOWN_SECONDS", "1")


def test_sigterm_ends_a_worker_while_the_database_is_unreachable(database: str, ledger: Ledger) -> None:
    with relayed(database) as relay, worker(relay.url, ledger) as (process, client):
        assert stop_while_unreachable(relay, process, client, ledger, signal.SIGTERM) == -signal.SIGTERM


def test_ctrl_c_ends_plain_uvicorn_while_the_database_is_unreachable(database: str, ledger: Ledger) -> None:
    with relayed(database) as relay, uvicorn_worker(relay.url, ledger) as (process, client):
        assert stop_while_unreachable(relay, process, client, ledger, signal.SIGINT) in {0, 130, -signal.SIGINT}
