"""Workers as processes, and the ledger that their endpoints write."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.protocol.tasking import Client
from tests.servers import PATIENCE, Process, running

KEYS = json.dumps(["a secret that is long enough for a key"])
SLOTS = 4
"""How many tasks a worker runs at the same time; with this many stuck, it runs nothing else."""


class Ledger:
    """The lines that endpoints have written: tool, number and process id."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def open(self) -> None:
        """Let the endpoints continue that wait for the gate."""
        self.path.with_name(self.path.name + ".open").touch()

    def lines(self) -> list[tuple[str, int, int]]:
        entries = (line.split() for line in self.path.read_text(encoding="utf-8").splitlines())
        return [(kind, int(number), int(process)) for kind, number, process in entries]

    def stuck(self, process: int | None) -> int:
        """Return how many calls are stuck in a process, or in all processes."""
        return sum(1 for _, number, where in self.lines() if process in {where, None} and number % 3)


@contextmanager
def worker(
    store_url: str, ledger: Ledger, *options: str, stuck: bool = False, slots: int = SLOTS
) -> Generator[tuple[Process, Client]]:
    """Serve the application with ``toolway serve`` in a process of its own."""
    command = [sys.executable, "-m", "toolway", "serve", "tests.tasks.ledger:app", "--port", "0", *options]
    env = _environment(store_url, ledger, stuck, slots)
    with running(command, env=env, ready="Press Ctrl+C to stop") as process:
        yield process, Client(process.url("MCP endpoint"))


@contextmanager
def uvicorn_worker(store_url: str, ledger: Ledger) -> Generator[tuple[Process, Client]]:
    """Serve the application with plain ``uvicorn`` in a process of its own."""
    command = [sys.executable, "-m", "uvicorn", "tests.tasks.ledger:app", "--port", "0"]
    with running(command, env=_environment(store_url, ledger)) as process:
        yield process, Client(process.url())


def _environment(store_url: str, ledger: Ledger, stuck: bool = False, slots: int = SLOTS) -> dict[str, str]:
    return {
        "TOOLWAY_STORE_URL": store_url,
        "TOOLWAY_STATE_KEYS": KEYS,
        "TOOLWAY_TASKS_AT_ONCE": str(slots),
        "LEDGER": str(ledger.path),
        "STUCK": "1" if stuck else "",
    }


def wait_for_stuck(ledger: Ledger, count: int, process: int | None = None) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE * 20):
        if ledger.stuck(process) >= count:
            return
        pause.wait(0.05)
    raise AssertionError(f"{ledger.stuck(process)} calls are stuck, and not {count}")
