"""Real servers on free loopback ports, ready when they are handed over and gone when the test is done with them."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from tests.support import ROOT

Serve = Callable[..., str]
READY = "Uvicorn running on"
START = 90
"""Seconds for a process to become ready: where many start at once, that takes longer than all that it does later."""
PATIENCE = 30
"""Seconds for everything else."""


def free_port() -> int:
    """Return an unused loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class _Server(uvicorn.Server):
    """A uvicorn server that sets an event once it accepts connections, or has failed to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()
        self.failure: BaseException | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        except BaseException as error:  # the test's own thread shall raise it
            self.failure = error
        finally:
            self.settled.set()


@contextmanager
def serving(app: Any, **config: Any) -> Generator[str]:
    """Serve an ASGI application, or an import string, from a thread of this process; yield its base URL."""
    settings = {"log_config": None, "timeout_graceful_shutdown": 5, **config}
    server = _Server(uvicorn.Config(app, **settings))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), name="test-server")
        thread.start()
        try:
            assert server.settled.wait(START), "the server did not come up"
            if not server.started:
                raise RuntimeError("the server did not start") from server.failure
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive(), "the server did not stop"


class Process:
    """A child process whose output is read all the time, so that it never blocks on a full pipe."""

    def __init__(self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, ready: str) -> None:
        self.lines: list[str] = []
        self.settled = threading.Event()
        self.is_ready = False
        self._ready = ready
        self.popen = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, name="test-process-output")
        self._reader.start()

    @property
    def output(self) -> str:
        """Everything the process has printed so far, on both streams."""
        return "".join(self.lines)

    def url(self, after: str = READY) -> str:
        """The base URL that the process has printed first after some words: of port 0, only it knows what became."""
        # Unbuffered output of the other worker may precede it on the same line.
        told = re.search(rf"{after} +(http://\S+:\d+)", self.output)
        assert told, f"there is no URL after {after!r}:\n{self.output}"
        return told[1]

    def _read(self) -> None:
        assert self.popen.stdout is not None
        with self.popen.stdout as stream:
            for line in stream:
                self.lines.append(line)
                if self._ready in line:
                    self.is_ready = True
                    self.settled.set()
        self.settled.set()

    def stop(self) -> int:
        """Ask the process to end, insist when it does not, and return its exit code."""
        self.popen.terminate()
        try:
            return self.popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait()
        finally:
            self._reader.join(PATIENCE)


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    ready: str = READY,
) -> Generator[Process]:
    """Run a command as a child process; yield it once a line of its output holds the word for being ready."""
    process = Process(command, env=env or {}, cwd=cwd, ready=ready)
    try:
        process.settled.wait(START)
        assert process.is_ready, f"{command} did not get ready:\n{process.output}"
        yield process
    finally:
        process.stop()


@contextmanager
def serving_apart(app: str, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Generator[str]:
    """Serve an import string with uvicorn in a process of its own; yield its base URL."""
    command = [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", "0", *arguments]
    with running(command, env=env, cwd=cwd) as process:
        yield process.url()
