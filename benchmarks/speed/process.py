"""A server in its own process, with the kernel's measurements of it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.speed.entries import Entry

__all__ = ["Process", "running"]

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 90


class Process:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self._process = process

    @property
    def cpu_seconds(self) -> float:
        """The CPU time of all threads, from the scheduler."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    @property
    def memory_bytes(self) -> int:
        """Its resident memory in bytes."""
        return psutil.Process(self._process.pid).memory_info().rss


@contextmanager
def running(entry: Entry, python: Path, extra_endpoints: int = 0) -> Generator[Process]:
    """Start an entry's server, wait until it listens, and end it afterwards.

    Raises:
        TimeoutError: it did not start.
    """
    port = _free_port()
    variables = {**os.environ, **dict(entry.variables), "EXTRA_ENDPOINTS": str(extra_endpoints), "PYTHONHASHSEED": "0"}
    command = [str(python), "-m", f"benchmarks.speed.servers.{entry.module}", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=variables)
    try:
        _wait_for(port, process)
        yield Process(process, port)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{process.args!r} did not start")
