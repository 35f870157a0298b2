"""Opens subscriptions and drops them, and counts what is left: `python -m tests.protocol.dropping [10000]`.

Half of them close their connection in good order, the others are cancelled in the middle of a change; each tenth reads
nothing while changes come.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from dataclasses import dataclass

import anyio
import psutil
from fastapi import FastAPI

from tests.protocol.changing import make_changing_server
from tests.protocol.listening import Listener
from toolway.mounts import toolway_of

_AT_ONCE = 50


@dataclass(frozen=True)
class Left:
    """What there is: tasks, objects that the collector knows, and memory in MiB."""

    tasks: int
    objects: int
    memory: float

    @classmethod
    def now(cls) -> Left:
        gc.collect()
        memory = psutil.Process().memory_info().rss / 2**20
        return cls(len(asyncio.all_tasks()), len(gc.get_objects()), memory)


async def drop(app: FastAPI, count: int) -> None:
    """Open so many subscriptions, some at a time, and drop them."""
    for begin in range(0, count, _AT_ONCE):
        uris = [f"orders://{number}" for number in range(begin, begin + 20)]
        batch = [Listener(app, resourceSubscriptions=uris, toolsListChanged=True) for _ in range(_AT_ONCE)]
        for one in batch:
            await one.frames(1)
        for one in batch[::10]:
            one.pause()
        toolway_of(app).changed(*uris, tools=True)
        for number, one in enumerate(batch):
            if number % 2:
                one.task.cancel()
            else:
                await one.leave()
        await asyncio.gather(*(one.task for one in batch), return_exceptions=True)


async def main(count: int) -> None:
    app = make_changing_server()
    async with app.router.lifespan_context(app):
        await drop(app, 500)  # what is made once is made now
        before, begin = Left.now(), time.perf_counter()
        await drop(app, count)
        seconds, after = time.perf_counter() - begin, Left.now()
    print(f"{count:,} subscriptions opened and dropped in {seconds:.1f} s")
    print(f"tasks    {before.tasks:>10,} -> {after.tasks:>10,}")
    print(f"objects  {before.objects:>10,} -> {after.objects:>10,}")
    print(f"MiB      {before.memory:>10.1f} -> {after.memory:>10.1f}")


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
