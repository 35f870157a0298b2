"""An application whose endpoints leave a line in a file each time that they are run; served by workers under test.

``LEDGER`` names the file. A worker with ``STUCK=1`` gets stuck in two of three of its calls.
"""

from __future__ import annotations

import os
from pathlib import Path

import anyio
from fastapi import FastAPI

from toolway import Toolway, agent_tool

app = FastAPI(title="Ledger")


def _note(line: str) -> None:
    with Path(os.environ["LEDGER"]).open("a", encoding="utf-8") as ledger:  # one write, which nobody comes between
        ledger.write(line)


async def _work(kind: str, number: int) -> dict[str, int]:
    _note(f"{kind} {number} {os.getpid()}\n")
    if os.environ.get("STUCK") and number % 3:
        await anyio.sleep_forever()
    return {"square": number * number}


@app.put("/accounts/{number}")
@agent_tool(name="settle", task="required")
async def settle(number: int) -> dict[str, int]:
    """Do what may be done again."""
    return await _work("settle", number)


@app.post("/charges/{number}")
@agent_tool(name="charge", task="required")
async def charge(number: int) -> dict[str, int]:
    """Do what must not be done twice."""
    return await _work("charge", number)


@app.put("/gates/{number}")
@agent_tool(name="wait_again", task="required")
async def wait_again(number: int) -> dict[str, int]:
    """Wait until the gate is open, which may be done again."""
    return await _wait("wait_again", number)


@app.post("/gates/{number}")
@agent_tool(name="wait_once", task="required")
async def wait_once(number: int) -> dict[str, int]:
    """Wait until the gate is open, once."""
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
    """Wait until another process has one of these, too."""
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
