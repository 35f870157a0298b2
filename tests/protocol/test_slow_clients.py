"""Clients that do not read their response lose it after a while, and trouble nobody else."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from tests.protocol.wire import MODERN, Peer, headers_of, message
from tests.servers import PATIENCE, serving
from toolway import Settings, Toolway

LARGE = 9_000_000
"""More than what the operating system keeps of a connection."""
LANES = {"fast lane": True, "without the fast lane": False}


def make_large() -> FastAPI:
    app = FastAPI(title="Large")

    @app.get("/large", operation_id="large", response_class=PlainTextResponse)
    async def large() -> str:
        return "x" * LARGE

    @app.get("/small", operation_id="small")
    async def small() -> str:
        return "here"

    return app


@pytest.fixture(scope="module", params=LANES.values(), ids=list(LANES))
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    settings = Settings(send_seconds=0.3, fast_lane=request.param, result_tokens=0)
    with serving(Toolway(make_large(), settings=settings).mount().app) as base:
        yield f"{base}/mcp"


def open_connection(url: str) -> socket.socket:
    """Connect as a client for which little is kept that it has not read."""
    parts = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(PATIENCE)
    connection.connect((parts.hostname, parts.port))
    return connection


def call_large(connection: socket.socket) -> None:
    """Send a call, and leave its response unread."""
    body = message(MODERN, "tools/call", {"name": "large", "arguments": {}})
    content = json.dumps(body).encode()
    headers = {"host": "localhost", "content-length": str(len(content)), **headers_of(MODERN, body)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connection.sendall(f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + content)


class Warnings(logging.Handler):
    """Counts the warnings that a response was not sent completely."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._came = threading.Semaphore(0)

    def emit(self, record: logging.LogRecord) -> None:
        if "not sent completely" in record.getMessage():
            self._came.release()

    def wait(self) -> None:
        assert self._came.acquire(timeout=PATIENCE)


@contextmanager
def watched() -> Generator[Warnings]:
    logger, handler = logging.getLogger("toolway.protocol"), Warnings()
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)


def read_all(connection: socket.socket) -> bytes:
    chunks: list[bytes] = []
    while chunk := connection.recv(1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def test_a_response_that_nobody_reads_is_given_up(url: str) -> None:
    with watched() as warnings, open_connection(url) as connection:
        call_large(connection)
        warnings.wait()
        received = read_all(connection)
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert len(received) < LARGE


def test_a_large_response_that_is_read_comes_whole(url: str) -> None:
    assert Peer(url).call("large")["content"][0]["text"] == "x" * LARGE


def test_other_clients_do_not_notice_idle_and_slow_connections(url: str) -> None:
    with watched() as warnings, ExitStack() as stack:
        connections = [stack.enter_context(open_connection(url)) for _ in range(100)]
        for connection in connections[:5]:
            call_large(connection)
        assert Peer(url).call("small")["content"][0]["text"] == '"here"'
        for _ in range(5):
            warnings.wait()
        assert Peer(url).call("small")["content"][0]["text"] == '"here"'
