"""The recorded service tasks: their calls, whether each succeeded, and the store they leave."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import text

from tests.support import SHARED, require
from tools.retail.database import Database
from tools.retail.models import Base

__all__ = [
    "UNTOUCHED_SHA256",
    "Call",
    "Operation",
    "Task",
    "keep_copy",
    "play",
    "recorded_store",
    "recorded_tasks",
    "restore_copy",
]

UNTOUCHED_SHA256 = "3ca5bd70e621602e23d909c87f26224a1a486e75955d8a6da53721ec224b23dc"
_STORE = SHARED / "data" / "retail" / "db.json.gz"
_TASKS = SHARED / "data" / "retail" / "tasks_train.json"

Call = Callable[[str, dict[str, Any]], Awaitable[bool]]
"""Calls an operation with arguments, and returns whether it succeeded."""


@dataclass(frozen=True)
class Operation:
    """One recorded call, and whether it must succeed."""

    name: str
    arguments: dict[str, Any]
    ok: bool


@dataclass(frozen=True)
class Task:
    """One recorded task, the SHA-256 of the store that it leaves, and the users and orders that it changes."""

    id: str
    operations: list[Operation]
    end_state_sha256: str
    changed: dict[str, dict[str, Any]]


def recorded_store() -> str:
    """Return the JSON of the store on which all tasks start."""
    require(_STORE.exists(), "the recorded store is not beside the checkout (../shared/data/retail/db.json.gz)")
    with gzip.open(_STORE, "rt", encoding="utf-8") as file:
        return file.read()


@cache
def recorded_tasks() -> list[Task]:
    """Return all tasks, or an empty list if the file is missing, for which `recorded_store` skips the test."""
    if not _TASKS.exists():
        return []
    return [
        Task(
            id=task["id"],
            operations=[Operation(each["name"], each["arguments"], each["ok"]) for each in task["actions"]],
            end_state_sha256=task["end_state_sha256"],
            changed=task["changed"],
        )
        for task in json.loads(_TASKS.read_text(encoding="utf-8"))
    ]


async def play(task: Task, call: Call) -> None:
    """Play a task, requiring of every operation that it succeeds or fails as recorded."""
    for operation in task.operations:
        ok = await call(operation.name, dict(operation.arguments))
        assert ok is operation.ok, f"task {task.id}: {operation} {'succeeded' if ok else 'failed'}"


async def keep_copy(store: Database) -> None:
    """Keep a copy of every table within the store itself, to be restored again and again."""
    async with store.writing() as session:
        for table in _tables():
            await session.execute(text(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}"))


async def restore_copy(store: Database) -> None:
    """Bring every table back to the copy that was kept: a fraction of the time of an import."""
    async with store.writing() as session:
        if store.backend == "postgresql":
            await session.execute(text(f"TRUNCATE {', '.join(_tables())}"))
        else:
            for table in reversed(_tables()):
                await session.execute(text(f"DELETE FROM {table}"))
        for table in _tables():
            await session.execute(text(f"INSERT INTO {table} SELECT * FROM kept_{table}"))


def _tables() -> list[str]:
    return [table.name for table in Base.metadata.sorted_tables]
