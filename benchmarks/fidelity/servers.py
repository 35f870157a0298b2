"""A peer's server while it is scored."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

from benchmarks.environments import ROOT, python_of
from benchmarks.fidelity.entries import Entry
from tests.servers import READY, Process, free_port

__all__ = ["DidNotStartError", "Served", "serving"]

_PATIENCE = 600
"""Seconds for a start, on a busy machine."""
_LEFT_OUT = re.compile(r"^left out: (.+)$", re.MULTILINE)


class DidNotStartError(Exception):
    """A server exited during startup; the text is the last line of its output."""


class Served:
    """The URL of a server, and the endpoints that it had to omit."""

    def __init__(self, url: str, output: str) -> None:
        self.url = url
        self.left_out: list[str] = _LEFT_OUT.findall(output)


@contextmanager
def serving(entry: Entry, app: str) -> Generator[Served]:
    """Serve one of the suite's applications with a peer in front of it, until the block ends.

    Raises:
        DidNotStartError: the server ended before it served.
        TimeoutError: the start takes too long.
    """
    port = free_port()
    module = f"benchmarks.fidelity.peers.{entry.module}"
    command = [python_of(entry), "-m", module, "--app", app, "--port", str(port), *entry.arguments]
    # fastapi-mcp takes the type of a union from a set of strings, whose order depends on the hash seed.
    process = Process(command, env={"PYTHONHASHSEED": "0"}, cwd=ROOT, ready=READY)
    try:
        if not process.settled.wait(_PATIENCE):
            raise TimeoutError(f"{entry.name}: {app}: not ready after {_PATIENCE} seconds")
        if not process.is_ready:
            raise DidNotStartError(_last_line(process.output))
        yield Served(f"http://127.0.0.1:{port}", process.output)
    finally:
        process.stop()


def _last_line(output: str) -> str:
    return next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "without any output")
