"""``toolway stdio``: a server that a client launches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.cli.shell import PATIENCE, TOOLWAY, environment, noises, toolway, write
from tests.servers import START

ERAS = [pytest.param("auto", "2026-07-28", id="2026-07-28"), pytest.param("legacy", "2025-11-25", id="2025-11-25")]
ALL_NOISES = {"import", "start", "past the redirection", "descriptor", "child", "endpoint", "stop"}

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
CALL = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "stock", "arguments": {"product": "lamp"}},
}
WAITING = """
import anyio
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    yield
    await anyio.lowlevel.checkpoint()
    print("stopped in good order")

app = FastAPI(lifespan=lifespan)

@app.get("/wait")
async def wait() -> None:
    print("waiting")
    try:
        await anyio.sleep_forever()
    finally:
        print("no more waiting")
"""
TAKING = """
import signal, threading
from fastapi import FastAPI

app = FastAPI()

def take_the_signal():
    open("now").close()
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

@app.get("/wait")
async def wait() -> None:
    threading.Thread(target=take_the_signal).start()
"""
SLOW_START = """
import anyio
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    print("starting")
    await anyio.sleep_forever()
    yield

app = FastAPI(lifespan=lifespan)
"""
BROKEN_START = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    raise RuntimeError("no database")
    yield

app = FastAPI(lifespan=lifespan)
"""


@contextmanager
def server(folder: Path) -> Generator[subprocess.Popen[str]]:
    """Start a server whose stdin stays open until the test closes it."""
    process = subprocess.Popen(
        [*TOOLWAY, "stdio", "main:app"],
        cwd=folder,
        env=environment({"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "always::ResourceWarning"}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def send(process: subprocess.Popen[str], *messages: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write("".join(f"{json.dumps(message)}\n" for message in messages))
    process.stdin.flush()


def read_until(stream: Any, word: str) -> str:
    """Read lines until one contains a word, and return it."""
    return next(line for line in stream if word in line)


@pytest.mark.anyio
@pytest.mark.parametrize(("mode", "version"), ERAS)
async def test_the_official_client_lists_and_calls(noisy: Path, tmp_path: Path, mode: str, version: str) -> None:
    """Output of the application goes to stderr and does not disturb the client."""
    started = StdioServerParameters(command=TOOLWAY[0], args=[*TOOLWAY[1:], "stdio", "main:app"], cwd=noisy)
    with (tmp_path / "log").open("w+") as log:
        async with Client(stdio_client(started, errlog=log), mode=mode) as client:
            listed = await client.list_tools()
            result = await client.call_tool("stock", {"product": "lamp", "pieces": 2})

            assert client.protocol_version == version
        log.seek(0)

        assert noises(log) == ALL_NOISES
    assert [tool.name for tool in listed.tools][:2] == ["stock", "drop"]
    assert result.structured_content == {"product": "lamp", "pieces": 2}


def test_stdout_has_nothing_but_messages(noisy: Path) -> None:
    """The server ends when its client closes stdin, without a warning about unclosed streams."""
    with server(noisy) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        send(process, INITIALIZE, INITIALIZED, CALL)
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()

        assert process.stdout.read() == ""
        assert process.wait(PATIENCE) == 0
        assert set(process.stderr) == {f"noise: {noise}\n" for noise in ALL_NOISES}
    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[1]["result"]["structuredContent"] == {"product": "lamp", "pieces": 1}


def test_a_client_that_sends_nothing_ends_the_server_cleanly(noisy: Path) -> None:
    done = toolway("stdio", "main:app", cwd=noisy)

    assert (done.returncode, done.stdout) == (0, "")
    assert noises(done.stderr.splitlines()) == ALL_NOISES - {"endpoint"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_it_with_a_clean_shutdown(tmp_path: Path, number: signal.Signals) -> None:
    """Also while the client keeps stdin open and a call is running."""
    write(tmp_path, {"main.py": WAITING})
    with server(tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        send(process, INITIALIZE, INITIALIZED, {**CALL, "params": {"name": "wait"}})
        read_until(process.stderr, "waiting")
        process.send_signal(number)

        assert process.wait(PATIENCE) == 0
        assert process.stderr.read().splitlines() == ["no more waiting", "stopped in good order"]


def test_a_signal_received_in_another_thread_ends_it(tmp_path: Path) -> None:
    """The system may deliver a signal to any thread while the main thread waits for the client."""
    write(tmp_path, {"main.py": TAKING})
    os.mkfifo(tmp_path / "now")
    with server(tmp_path) as process:
        assert process.stdout is not None
        send(process, INITIALIZE, INITIALIZED, {**CALL, "params": {"name": "wait"}})
        read_until(process.stdout, '"id":2')
        (tmp_path / "now").write_text("")

        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_a_startup_that_hangs(tmp_path: Path, number: signal.Signals) -> None:
    write(tmp_path, {"main.py": SLOW_START})
    with server(tmp_path) as process:
        assert process.stderr is not None
        read_until(process.stderr, "starting")
        process.send_signal(number)

        assert process.wait(PATIENCE) == -number
        assert process.stderr.read() == ""


def test_a_failed_startup_does_not_wait_for_the_client(tmp_path: Path) -> None:
    """The server exits at once, with the reason on stderr."""
    write(tmp_path, {"main.py": BROKEN_START})
    with server(tmp_path) as process:
        assert process.stderr is not None

        assert process.wait(START) == 2
        (line,) = process.stderr.read().splitlines()
    assert line.startswith("toolway: the application failed to start: RuntimeError: no database (")


def test_a_client_that_leaves_before_its_response_causes_no_error(noisy: Path) -> None:
    """As after a crash of the client, stdout is no longer read."""
    with server(noisy) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        send(process, INITIALIZE, INITIALIZED)
        read_until(process.stdout, '"id":1')
        process.stdout.close()
        send(process, CALL)
        read_until(process.stderr, "noise: endpoint")
        process.stdin.close()

        assert process.wait(PATIENCE) == 0
        assert process.stderr.read().splitlines() == ["noise: stop"]
