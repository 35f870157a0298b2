"""How long an application takes to start and to stop, under plain uvicorn and under ``toolway serve``."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2

__all__ = ["Times", "measure_times"]

_START_SECONDS = 300
_STOP_SECONDS = 60
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the command to the first response, and from SIGTERM to the end of the process."""

    start: float
    stop: float
    exit_code: int

    def __str__(self) -> str:
        return f"{self.start:.1f} / {self.stop:.2f} ({self.exit_code})"


def measure_times(command: Sequence[str], path: str, folder: Path, env: Mapping[str, str]) -> Times:
    """Start a server with ``--port``, request a path until it responds, and stop it with SIGTERM.

    Raises:
        RuntimeError: the server ended, or did not respond within five minutes.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    began = time.perf_counter()
    with (folder / "times.log").open("w") as log:
        process = subprocess.Popen([*command, "--port", str(port)], cwd=folder, env=env, stdout=log, stderr=log)
        try:
            _wait_for_response(process, f"http://127.0.0.1:{port}{path}")
            started = time.perf_counter()
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_SECONDS)
            return Times(started - began, time.perf_counter() - started, process.returncode)
        finally:
            process.kill()


def _wait_for_response(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it responded")
        try:
            httpx2.get(url, timeout=30)
        except httpx2.TransportError:
            time.sleep(_POLL_SECONDS)
        else:
            return
    raise RuntimeError(f"no response within {_START_SECONDS} s")
