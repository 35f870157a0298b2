"""The duration of startup, of the first call, and of two hundred concurrent slow calls."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2

from benchmarks.speed.entries import Entry
from benchmarks.speed.load import send
from benchmarks.speed.process import Process
from benchmarks.speed.requests import ID, OPERATIONS, Operation, Request, request_for
from benchmarks.speed.rounds import started

__all__ = ["Burst", "Start", "burst_of", "one_each", "start_of"]

WAIT = Operation("wait", "a second's wait", "GET", "/wait?seconds=1", {"seconds": 1.0}, expects="1.0")
MANY = 200
_PATIENCE = 60
"""Seconds for all of the slow calls."""


@dataclass(frozen=True, slots=True)
class Start:
    """The duration of startup and of the first calls: medians, in seconds."""

    entry: Entry
    cpu: float
    """CPU of the process until it listens."""
    memory_bytes: int
    first: float
    hundredth: float


@dataclass(frozen=True, slots=True)
class Burst:
    """The duration of concurrent calls that each wait for a second: the best of several runs."""

    entry: Entry
    seconds: float


def start_of(entry: Entry, python_of: Callable[[Entry], Path], extra_endpoints: int, tries: int) -> Start:
    """Start a server several times, and call the trivial endpoint a hundred times."""
    found = [_start(entry, python_of, extra_endpoints) for _ in range(tries)]
    print(f"  {entry.label} with {extra_endpoints} endpoints more: started {tries} times", file=sys.stderr)
    medians = [statistics.median(column) for column in zip(*found, strict=True)]
    return Start(entry, medians[0], int(medians[1]), medians[2], medians[3])


def _start(entry: Entry, python_of: Callable[[Entry], Path], extra: int) -> tuple[float, int, float, float]:
    with started([entry], python_of, extra) as fleet:
        process = fleet.processes[entry]
        cpu, memory = process.cpu_seconds, process.memory_bytes
        request = request_for(entry, OPERATIONS[0], fleet.sessions[entry])
        times = [_timed(process, request) for _ in range(100)]
        return cpu, memory, times[0], statistics.median(times[-9:])


def _timed(process: Process, request: Request) -> float:
    before = process.cpu_seconds
    send(process, request)
    return process.cpu_seconds - before


def burst_of(entry: Entry, python_of: Callable[[Entry], Path], tries: int) -> Burst:
    """Send the slow calls concurrently."""
    with started([entry], python_of) as fleet:
        request = request_for(entry, WAIT, fleet.sessions[entry])
        times = [asyncio.run(_burst(fleet.processes[entry], request)) for _ in range(tries)]
    return Burst(entry, min(times))


async def _burst(process: Process, request: Request) -> float:
    """Send the calls over connected raw sockets, so that the work of a client is not measured."""
    links = [await asyncio.open_connection("127.0.0.1", process.port) for _ in range(MANY)]
    messages = [_bytes(process, request, number) for number in range(MANY)]
    before = time.perf_counter()
    async with asyncio.timeout(_PATIENCE):
        await asyncio.gather(*(_exchange(*link, message) for link, message in zip(links, messages, strict=True)))
    spent = time.perf_counter() - before
    for _, writer in links:
        writer.close()
    return spent


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(message)
    status = await reader.readline()
    if b" 200 " not in status:
        raise ValueError(f"a slow call failed: {status!r}")
    await reader.readuntil(b"1.0")  # the seconds waited; an event stream begins long before it has them


def _bytes(process: Process, request: Request, number: int) -> bytes:
    body = request.body.replace(ID, str(number)).encode()
    url = httpx2.URL(f"http://127.0.0.1:{process.port}{request.target}")
    headers = {"Host": url.netloc.decode(), "Content-Length": str(len(body)), **request.headers}
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def one_each(entries: Sequence[Entry]) -> list[Entry]:
    """Return the first entry of each server."""
    return list({entry.server: entry for entry in reversed(entries)}.values())[::-1]
