"""Every recorded service task, over plain HTTP, on each database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.tools.conftest import make_place
from tests.tools.desk import Desk, fill_store, open_desk
from tests.tools.replay import (
    UNTOUCHED_SHA256,
    Task,
    keep_copy,
    play,
    recorded_store,
    recorded_tasks,
    restore_copy,
)
from tools.retail.store import state_hash


@pytest.fixture(scope="module")
async def recorded_desk(backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Desk, None]:
    """Run a desk on the store on which all tasks start."""
    content = recorded_store()
    place = make_place(backend, tmp_path_factory.mktemp("recorded"))
    url = await place.new()
    await fill_store(url, content)
    async with open_desk(url) as desk:
        await keep_copy(desk.store)
        yield desk
    await place.clear()


async def test_the_recorded_store_is_exported_as_it_was_imported(recorded_desk: Desk) -> None:
    await restore_copy(recorded_desk.store)
    assert await state_hash(recorded_desk.store) == UNTOUCHED_SHA256


@pytest.mark.parametrize("task", recorded_tasks(), ids=lambda task: task.id)
async def test_a_recorded_task_has_the_recorded_outcome(recorded_desk: Desk, task: Task) -> None:
    async def call(name: str, arguments: dict[str, Any]) -> bool:
        return (await recorded_desk.call(name, **arguments)).is_success

    await restore_copy(recorded_desk.store)
    await play(task, call)
    assert await state_hash(recorded_desk.store) == task.end_state_sha256


def test_all_tasks_are_available(recorded_desk: Desk) -> None:
    assert len(recorded_tasks()) == 74
    assert sum(len(task.operations) for task in recorded_tasks()) == 365
