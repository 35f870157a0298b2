"""Tasks complete although PostgreSQL closes all connections while they run."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from tests.protocol.tasking import Client
from tests.servers import PATIENCE
from tests.tasks.postgres import count_locks, end_connections
from tests.tasks.serving import SLOTS, Ledger, worker


def wait_for(count: Callable[[], int], wanted: int) -> None:
    """Wait until a count reaches a value."""
    pause, found = threading.Event(), 0
    for _ in range(PATIENCE * 20):
        found = count()
        if found >= wanted:
            return
        pause.wait(0.05)
    raise AssertionError(f"expected at least {wanted}, found {found}")


def start(client: Client, count: int) -> dict[str, int]:
    """Start tasks of both kinds; return the number of each by its task id."""
    kinds = ("wait_again", "wait_once")
    return {client.start(kinds[number % 2], number=number)["taskId"]: number for number in range(count)}


def assert_completed(client: Client, tasks: dict[str, int], ledger: Ledger) -> None:
    for task, number in tasks.items():
        state = client.wait(task)
        assert state["status"] == "completed", state
        assert state["result"]["structuredContent"] == {"square": number * number}
    runs = Counter(number for _, number, _ in ledger.lines())
    assert runs == Counter(tasks.values())


@pytest.mark.timeout(240)
def test_tasks_complete_although_connections_end_while_they_wait_run_and_end(database: str, ledger: Ledger) -> None:
    with worker(database, ledger) as (_, client):
        tasks = start(client, 12)
        wait_for(lambda: len(ledger.lines()), SLOTS)
        assert end_connections(database) > 0
        ledger.open()
        for count in (SLOTS + 1, SLOTS + 5, 12):
            wait_for(lambda: len(ledger.lines()), count)
            end_connections(database)
        assert_completed(client, tasks, ledger)


@pytest.mark.timeout(240)
def test_workers_that_have_lost_their_connections_are_not_considered_dead(database: str, ledger: Ledger) -> None:
    with worker(database, ledger) as (_, client), worker(database, ledger) as (_, _other):
        tasks = start(client, 2 * SLOTS - 2)  # there is room for more in both
        wait_for(lambda: len(ledger.lines()), len(tasks))
        for _ in range(5):
            end_connections(database)
            wait_for(lambda: count_locks(database), 2)
            # A worker is dead if it is missing in three checks in a row, two seconds apart; between the losses, at
            # least one check finds it.
            threading.Event().wait(3)
        ledger.open()
        assert_completed(client, tasks, ledger)
