"""The memory of a server after many calls."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.speed.entries import Entry
from benchmarks.speed.load import fire
from benchmarks.speed.requests import OPERATIONS, request_for
from benchmarks.speed.rounds import Fleet

__all__ = ["Growth", "growth_of"]


@dataclass(frozen=True, slots=True)
class Growth:
    """Memory in bytes after startup and after numbers of calls."""

    entry: Entry
    start: int
    after: Mapping[int, int]


def growth_of(fleet: Fleet, entry: Entry, steps: Sequence[int], connections: int) -> Growth:
    """Measure memory while calling the trivial endpoint; the steps are numbers of calls."""
    process, request = fleet.processes[entry], request_for(entry, OPERATIONS[0], fleet.sessions[entry])
    start, done, after = process.memory_bytes, 0, dict[int, int]()
    for step in steps:
        while done < step:
            done += fire(process, request, seconds=1, connections=connections).requests
            print(f"\r  {entry.label}: {done:,} of {steps[-1]:,} calls", end="", file=sys.stderr)
        after[step] = process.memory_bytes
    print(file=sys.stderr)
    return Growth(entry, start, after)
