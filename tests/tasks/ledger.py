"""An application whose endpoints append a line to a file each time they run; served by the workers under test.

``LEDGER`` names the file. With ``STUCK=1``, two of three calls of a worker never end.
"""

from __future__ import annotations

import os
from pathlib import Path

import anyio
from fastapi import FastAPI

from toolway import Toolway, agent_tool

app = FastAPI(title="Ledger")


def _note(line: str) -> None:
    with Path(os.environ["LEDGER"]).open(
        "a", encoding="utf-8"
    ) as ledger:  # one write, so lines of several processes do not mix
        ledger.write(line)


async def _work(kind: str, number: int) -> dict[str, int]:
    _note(f"{kind} {number} {os.getpid()}\n")
    if os.environ.get("STUCK") and number % 3:
        await anyio.sleep_forever()
    return {"square": number * number}


@app.put("/accounts/{number}")
@agent_tool(name="settle", task="required")
async def settle(number: int) -> dict[str, int]:
    """Settle an account, which may be repeated."""
    return await _work("settle", number)


@app.post("/charges/{number}")
@agent_tool(name="charge", task="required")
async def charge(number: int) -> dict[str, int]:
    """Charge a card, which must not be repeated."""
    return await _work("charge", number)


@app.put("/gates/{number}")
@agent_tool(name="wait_again", task="required")
async def wait_again(number: int) -> dict[str, int]:
    """Wait until the gate is open; may be repeated."""
    return await _wait("wait_again", number)


@app.post("/gates/{number}")
@agent_tool(name="wait_once", task="required")
async def wait_once(number: int) -> dict[str, int]:
    """Wait until the gate is open; must not be repeated."""
    return await _wait("wait_once", number)


async def _wait(kind: str, number: int) -> dict[str, int]:
    _note(f"{kind} {number} {os.getpid()}\n")
    while not _is_open():
        with anyio.move_on_after(0.05):
            await anyio.Event().wait()
    return {"square": number * number}


@app.put("/meetings/{number}")
@agent_tool(name="meet", task="required")
async def meet(number: int) -> dict[str, int]:
    """Wait until two processes run this endpoint."""
    _note(f"meet {number} {os.getpid()}\n")
    while len(_processes("meet")) < 2:
        with anyio.move_on_after(0.05):
            await anyio.Event().wait()
    return {"process": os.getpid()}


def _is_open() -> bool:
    return Path(os.environ["LEDGER"] + ".open").exists()


def _processes(kind: str) -> set[str]:
    entries = (line.split() for line in Path(os.environ["LEDGER"]).read_text(encoding="utf-8").splitlines())
    return {process for name, _, process in entries if name == kind}


Toolway(app).mount()
