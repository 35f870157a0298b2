"""The measurements as tables."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from benchmarks.speed.entries import MODERN, OURS, OURS_BEHIND, OURS_WHOLE, Entry
from benchmarks.speed.memory import Growth
from benchmarks.speed.moments import Burst, Start
from benchmarks.speed.requests import Operation
from benchmarks.speed.rounds import Cost

__all__ = [
    "burst_table",
    "call_tables",
    "catalog_table",
    "goals_table",
    "machine",
    "memory_table",
    "profile_table",
    "ratio_table",
    "start_table",
    "versions_table",
]

_GOALS = {
    OURS: {"add": 0.9, "get_mine": 1.15, "get_item": 1.15, "place_order": 1.2, "list_items": 1.3},
    OURS_BEHIND: {"add": 1.15, "get_mine": 1.15, "get_item": 1.15, "place_order": 1.2, "list_items": 1.3},
    OURS_WHOLE: {"add": 1.15, "get_mine": 1.15, "get_item": 1.15, "place_order": 1.2, "list_items": 1.3},
}
"""The most that a call of an operation should cost on 2026-07-28, to the plain HTTP call."""
_HANDSHAKE_GOAL = 1.2
"""The most that it should cost on a handshake revision, to what it costs on 2026-07-28."""


def machine(command: str) -> Iterator[str]:
    """Yield the date, machine and command of a measurement."""
    yield f"Measured on {datetime.now(UTC):%Y-%m-%d} with `{command}`: {os.cpu_count()} cores, {platform.machine()},"
    yield f"Python {platform.python_version()}, uvloop and httptools, one worker, no access log."


def versions_table(versions: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield the versions of the libraries of each server."""
    names = list(dict.fromkeys(name for found in versions.values() for name in found))
    yield from _table(
        ["", *names], ([label, *(found.get(name, "") for name in names)] for label, found in versions.items())
    )


def ratio_table(costs: Mapping[Operation, Mapping[int, Sequence[Cost]]]) -> Iterator[str]:
    """Yield a table of the cost of each operation at each server, relative to that of the plain HTTP call."""
    columns = [{cost.entry: cost for cost in by_connections[max(by_connections)]} for by_connections in costs.values()]
    rows = (
        [*_name(entry), *(f"{column[entry].ratio:.2f}x" for column in columns)]
        for entry in columns[0]
        if entry.version is not None
    )
    yield from _table(["server", "revision", *(operation.title for operation in costs)], rows)


def goals_table(costs: Mapping[Operation, Mapping[int, Sequence[Cost]]]) -> Iterator[str]:
    """Yield a table of the cost limits of toolway's calls, and whether they are met."""
    rows: list[list[str]] = []
    for operation, by_connections in costs.items():
        measured = by_connections[max(by_connections)]
        modern = {cost.entry.label: cost.ratio for cost in measured if cost.entry.version == MODERN}
        for cost in measured:
            label, goals = cost.entry.label, _GOALS.get(cost.entry.label)
            if goals is None:
                continue
            goal = goals[operation.name] if cost.entry.version == MODERN else _HANDSHAKE_GOAL * modern[label]
            word = "met" if cost.ratio <= goal else "missed"
            rows.append([operation.title, *_name(cost.entry), f"{goal:.2f}x", f"{cost.ratio:.2f}x", word])
    yield from _table(["call", "server", "revision", "goal", "measured", ""], rows)


def profile_table(found: Mapping[str, float]) -> Iterator[str]:
    """Yield a table of the steps of a trivial call."""
    rows = ([name, "", f"{seconds * 1e6:.1f} µs"] for name, seconds in found.items())
    yield from _table(["time in this process", "", "best"], rows)


def call_tables(costs: Mapping[Operation, Mapping[int, Sequence[Cost]]]) -> Iterator[str]:
    """Yield a table for each operation and each number of connections."""
    for operation, by_connections in costs.items():
        yield f"### {operation.title} (`{operation.name}`)\n"
        for connections, rows in by_connections.items():
            yield f"{connections} connection{'s' * (connections > 1)}:\n"
            head = ["server", "revision", "CPU per call", "to plain", "calls/s", "median", "99 %", "generator"]
            yield from _table(head, map(_cost, rows))


def catalog_table(calls: Mapping[int, Sequence[Cost]], lists: Mapping[int, Sequence[Cost]]) -> Iterator[str]:
    """Yield a table of the cost of a call and a list by the number of tools."""
    sizes = list(calls)
    head = ["server", "revision", *(f"call, {n} more" for n in sizes), *(f"list, {n} more" for n in sizes)]
    found = [{(cost.entry): cost for cost in costs} for costs in (*calls.values(), *lists.values())]
    entries = [cost.entry for cost in calls[sizes[0]]]
    yield from _table(head, ([*_name(entry), *(_time(at.get(entry)) for at in found)] for entry in entries))


def memory_table(growths: Sequence[Growth]) -> Iterator[str]:
    """Yield a table of the memory after numbers of calls."""
    head = ["server", "revision", "after startup", *(f"after {calls:,} calls" for calls in growths[0].after)]
    rows = ([*_name(it.entry), _mega(it.start), *(_mega(size) for size in it.after.values())] for it in growths)
    yield from _table(head, rows)


def start_table(starts: Mapping[int, Sequence[Start]]) -> Iterator[str]:
    """Write what a start takes, to that of the plain application with as many endpoints, and the first call."""
    head = ["server", "revision", "endpoints more", "CPU to start", "to plain", "memory", "first call", "to hundredth"]
    rows = [(size, start, found[0]) for size, found in starts.items() for start in found]
    yield from _table(head, (_start(size, start, plain) for size, start, plain in rows))


def burst_table(bursts: Sequence[Burst]) -> Iterator[str]:
    """Yield a table of the time of slow calls beyond their second."""
    rows = ([*_name(burst.entry), f"{(burst.seconds - 1) * 1e3:.0f} ms"] for burst in bursts)
    yield from _table(["server", "revision", "beyond the second"], rows)


def _start(size: int, start: Start, plain: Start) -> list[str]:
    cpu = [f"{start.cpu:.2f} s", f"{start.cpu / plain.cpu:.2f}x"]
    calls = [f"{start.first * 1e3:.1f} ms", f"{start.first / start.hundredth:.1f}x"]
    return [*_name(start.entry), str(size), *cpu, _mega(start.memory_bytes), *calls]


def _cost(cost: Cost) -> list[str]:
    times = [f"{seconds * 1e3:.1f} ms" for seconds in (cost.median_seconds, cost.late_seconds)]
    measured = [_time(cost), f"**{cost.ratio:.2f}x**", f"{cost.per_second:,.0f}"]
    return [*_name(cost.entry), *measured, *times, f"{cost.generator_share:.0%}"]


def _name(entry: Entry) -> list[str]:
    return [entry.label, entry.version or ""]


def _time(cost: Cost | None) -> str:
    return "" if cost is None else f"{cost.cpu_seconds * 1e6:,.0f} µs"


def _mega(size: int) -> str:
    return f"{size / 2**20:.1f} MB"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * min(len(head), 2)}{'--:|' * (len(head) - 2)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
