"""All servers measured in alternating short windows, so that other processes disturb all equally."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.entries import Entry
from benchmarks.speed.load import Load, check, fire, send
from benchmarks.speed.process import Process, running
from benchmarks.speed.requests import Operation, Request, initialize, list_request, request_for

__all__ = ["Cost", "Fleet", "call_costs", "list_costs", "started"]


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a request on the server; medians over the rounds."""

    entry: Entry
    cpu_seconds: float
    ratio: float
    """CPU per request to that of the plain call of the same application in the same round."""
    per_second: float
    median_seconds: float
    late_seconds: float
    generator_share: float
    """How busy the generator was, of one core."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The running servers."""

    processes: Mapping[Entry, Process]
    sessions: Mapping[Entry, str | None]


@contextmanager
def started(entries: Sequence[Entry], python_of: Callable[[Entry], Path], extra_endpoints: int = 0) -> Generator[Fleet]:
    """Start the servers, open sessions where calls need one, and stop the servers afterwards."""
    with ExitStack() as stack:
        servers: dict[object, Process] = {}
        for entry in entries:
            if entry.server not in servers:
                print(f"starting {entry.label}", file=sys.stderr)
                servers[entry.server] = stack.enter_context(running(entry, python_of(entry), extra_endpoints))
        processes = {entry: servers[entry.server] for entry in entries}
        yield Fleet(processes, {entry: _session(processes[entry], entry) for entry in entries})


def call_costs(fleet: Fleet, operation: Operation, rounds: int, connections: int, seconds: float = 1) -> list[Cost]:
    """Measure calls of one operation on all servers.

    Raises:
        ValueError: an answer is wrong.
    """
    requests = {entry: request_for(entry, operation, fleet.sessions[entry]) for entry in fleet.processes}
    for entry, request in requests.items():
        check(fleet.processes[entry], request, operation.expects)
    return _costs(fleet, requests, rounds, connections, seconds)


def list_costs(fleet: Fleet, rounds: int, connections: int, seconds: float = 1) -> list[Cost]:
    """Measure lists of tools; plain HTTP has none, so its entry calls the trivial endpoint."""
    requests = {entry: list_request(entry, fleet.sessions[entry]) for entry in fleet.processes if entry.version}
    for entry, request in requests.items():
        check(fleet.processes[entry], request, "add")
    return _costs(fleet, requests, rounds, connections, seconds)


def _costs(
    fleet: Fleet, requests: Mapping[Entry, Request], rounds: int, connections: int, seconds: float
) -> list[Cost]:
    loads: dict[Entry, list[Load]] = {entry: [] for entry in requests}
    for number in range(rounds + 1):  # the first one only warms everything up
        order = list(requests.items())
        for entry, request in reversed(order) if number % 2 else order:
            load = fire(fleet.processes[entry], request, seconds=seconds, connections=connections)
            loads[entry] += [load] if number else []
            print(f"\r  round {number} of {rounds}: {entry.label:45}", end="", file=sys.stderr)
    print("\r" + " " * 70 + "\r", end="", file=sys.stderr)
    return [_cost(entry, taken, loads.get(entry.beside, taken)) for entry, taken in loads.items()]


def _cost(entry: Entry, loads: Sequence[Load], plain: Sequence[Load]) -> Cost:
    ratios = [mine.cpu_per_request / theirs.cpu_per_request for mine, theirs in zip(loads, plain, strict=True)]
    return Cost(
        entry,
        statistics.median(load.cpu_per_request for load in loads),
        statistics.median(ratios),
        statistics.median(load.requests / load.seconds for load in loads),
        statistics.median(load.median_seconds for load in loads),
        statistics.median(load.late_seconds for load in loads),
        statistics.median(load.generator_seconds / load.seconds for load in loads),
    )


def _session(process: Process, entry: Entry) -> str | None:
    if not entry.has_sessions or entry.version is None:
        return None
    return send(process, initialize(entry.version)).headers["mcp-session-id"]
