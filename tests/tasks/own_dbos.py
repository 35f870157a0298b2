"""An application that uses DBOS itself; ``DBOS_URL`` names its database."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from anyio import to_thread
from dbos import DBOS
from fastapi import FastAPI

from toolway import Toolway, agent_tool

DBOS(config={"name": "own", "system_database_url": os.environ["DBOS_URL"], "log_level": "WARNING"})


@DBOS.workflow(name="own.double")
def double(number: int) -> int:
    """Double a number in a durable workflow."""
    return 2 * number


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    """Run DBOS while the application runs."""
    await to_thread.run_sync(DBOS.launch)
    yield
    await to_thread.run_sync(DBOS.destroy)


app = FastAPI(title="Own", lifespan=lifespan)


@app.put("/doubles/{number}")
@agent_tool(name="double", task="optional")
async def run_double(number: int) -> int:
    """Run the application's own workflow."""
    return await to_thread.run_sync(double, number)


@app.put("/charges/{number}")
@agent_tool(name="charge", task="required")
async def charge(number: int) -> int:
    """Fail: this tool needs tasks, which this application cannot have."""
    raise AssertionError(number)


Toolway(app).mount()
