"""``python -m benchmarks.speed``: measure, and write ../RESULTS.md and calls.svg."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.environments import NotInstalledError, python_of, versions_of
from benchmarks.speed.chart import bars
from benchmarks.speed.entries import ENTRIES, UNAVOIDABLE, Entry
from benchmarks.speed.load import need_wrk
from benchmarks.speed.memory import Growth, growth_of
from benchmarks.speed.moments import burst_of, one_each, start_of
from benchmarks.speed.pages import put
from benchmarks.speed.profile import profile
from benchmarks.speed.report import (
    burst_table,
    call_tables,
    catalog_table,
    goals_table,
    machine,
    memory_table,
    profile_table,
    ratio_table,
    start_table,
    versions_table,
)
from benchmarks.speed.requests import OPERATIONS, Operation
from benchmarks.speed.rounds import Cost, call_costs, list_costs, started

HERE = Path(__file__).parent
RESULTS = HERE.parent / "RESULTS.md"
CALLS = (10_000, 50_000)
SIZES = (10, 100, 1000)
PARTS = ("calls", "profile", "catalog", "memory", "moments")

Costs = Mapping[Operation, Mapping[int, Sequence[Cost]]]


def main() -> None:
    options = _options()
    need_wrk()
    try:
        entries = [entry for entry in ENTRIES if options.all or entry.environment is None]
        for name in options.parts:
            print(f"{name}:", file=sys.stderr)
            chosen = [entry for entry in entries if name == "calls" or not entry.is_behind]
            text = "\n".join(_PARTS[name](chosen, options))
            put(RESULTS, name, text)
            print(text)
    except NotInstalledError as error:
        raise SystemExit(f"{error}; --ours measures without the other libraries") from error


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, choices=[*PARTS, []], help="what to measure; all by default")
    parser.add_argument("--rounds", type=int, default=7, help="windows of a second for each server (7)")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 32], help="at once, for calls (1 32)")
    parser.add_argument("--ours", dest="all", action="store_false", help="leave out libraries that need an environment")
    return parser.parse_args()


def _calls(entries: Sequence[Entry], options: argparse.Namespace) -> Iterator[str]:
    costs: dict[Operation, dict[int, Sequence[Cost]]] = {}
    with started(entries, python_of) as fleet:
        for operation in OPERATIONS:
            print(f"{operation.title}", file=sys.stderr)
            costs[operation] = {
                many: call_costs(fleet, operation, options.rounds, many) for many in options.connections
            }
    (HERE / "calls.svg").write_text(_chart(costs), encoding="utf-8")
    ratios = list(ratio_table(costs))
    yield from (*machine(_command()), "", *ratios, *goals_table(costs))
    yield from versions_table({entry.label: versions_of(entry) for entry in entries})
    yield from call_tables(costs)


def _profile(_: Sequence[Entry], __: argparse.Namespace) -> Iterator[str]:
    yield from (*machine(_command()), "", *profile_table(profile()))


def _chart(costs: Costs) -> str:
    groups = {
        operation.title: [
            (f"{cost.entry.label}, {cost.entry.version}", cost.ratio) for cost in rows[max(rows)] if cost.entry.version
        ]
        for operation, rows in costs.items()
    }
    return bars("CPU per tool call on the server, to that of the plain HTTP call (32 connections)", groups)


def _catalog(entries: Sequence[Entry], options: argparse.Namespace) -> Iterator[str]:
    rounds: int = options.rounds
    calls: dict[int, Sequence[Cost]] = {}
    lists: dict[int, Sequence[Cost]] = {}
    for size in SIZES:
        with started(entries, python_of, size) as fleet:
            calls[size] = call_costs(fleet, OPERATIONS[0], rounds, 2)
            lists[size] = list_costs(fleet, rounds, 2, seconds=5 if size > 100 else 1)
    yield from (*machine(_command()), "")
    yield from ("CPU per request on the server, with so many endpoints more, two connections.", "")
    yield from catalog_table(calls, lists)


def _memory(entries: Sequence[Entry], _: argparse.Namespace) -> Iterator[str]:
    growths: list[Growth] = []
    for entry in entries:
        with started([entry], python_of) as fleet:  # each in a process that has done nothing else
            growths.append(growth_of(fleet, entry, CALLS, 32))
    yield from (*machine(_command()), "")
    yield from ("Resident memory of the server.", "")
    yield from memory_table(growths)


def _moments(entries: Sequence[Entry], options: argparse.Namespace) -> Iterator[str]:
    rounds: int = options.rounds
    plain, *others = one_each(entries)
    chosen = (plain, *UNAVOIDABLE, *others)
    starts = {size: [start_of(entry, python_of, size, rounds) for entry in chosen] for size in SIZES}
    bursts = [burst_of(entry, python_of, 3) for entry in entries]
    yield from (*machine(_command()), "")
    yield from ("CPU of the process until it listens, and of the first call beside that of the hundredth.", "")
    yield from start_table(starts)
    yield from ("Two hundred calls at once of an endpoint that waits for a second:", "")
    yield from burst_table(bursts)


def _command() -> str:
    return " ".join(("python -m benchmarks.speed", *sys.argv[1:]))


_PARTS = {"calls": _calls, "profile": _profile, "catalog": _catalog, "memory": _memory, "moments": _moments}

if __name__ == "__main__":
    main()
