"""Tasks whose worker is killed: none is lost, and none runs twice that must not."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.tasks.serving import SLOTS, Ledger, wait_for_stuck, worker

TASKS = 50


@pytest.mark.timeout(240)
def test_of_fifty_tasks_none_is_lost_and_none_runs_twice_that_must_not(store_url: str, ledger: Ledger) -> None:
    with worker(store_url, ledger, stuck=True) as (victim, client):
        tasks: dict[str, tuple[str, int]] = {}
        for number in range(TASKS):
            kind = ("settle", "charge")[number % 2]
            tasks[client.start(kind, number=number)["taskId"]] = (kind, number)
        wait_for_stuck(ledger, SLOTS, victim.popen.pid)
        with worker(store_url, ledger) as (_, other):
            victim.popen.kill()
            ended = {task: other.wait(task) for task in tasks}
    runs = Counter((kind, number) for kind, number, _ in ledger.lines())
    first = {(kind, number): process for kind, number, process in reversed(ledger.lines())}
    was_stuck = {key for key, process in first.items() if process == victim.popen.pid and key[1] % 3}
    for task, (kind, number) in tasks.items():
        state = ended[task]
        if kind == "charge" and (kind, number) in was_stuck:
            assert state["status"] == "failed"
            assert "interrupted" in state["error"]["message"]
            assert "may or may not have completed" in state["statusMessage"]
        else:
            assert state["status"] == "completed", state
            assert state["result"]["structuredContent"] == {"square": number * number}
        assert runs[kind, number] == 1 or kind == "settle"
    assert {kind for kind, _ in was_stuck} == {"settle", "charge"}
    assert {key for key, count in runs.items() if count > 1} == {key for key in was_stuck if key[0] == "settle"}


def test_tasks_of_a_killed_worker_end_after_its_restart(store_url: str, ledger: Ledger) -> None:
    with worker(store_url, ledger, stuck=True) as (victim, client):
        tasks = {kind: client.start(kind, number=7)["taskId"] for kind in ("settle", "charge")}
        wait_for_stuck(ledger, 2, victim.popen.pid)
        victim.popen.kill()
    with worker(store_url, ledger) as (_, client):
        assert client.wait(tasks["settle"])["result"]["structuredContent"] == {"square": 49}
        assert client.wait(tasks["charge"])["status"] == "failed"


def test_tasks_of_a_live_worker_are_not_taken_over(store_url: str, ledger: Ledger) -> None:
    with worker(store_url, ledger, stuck=True) as (holder, client):
        tasks = [client.start("settle", number=number)["taskId"] for number in (1, 2)]
        wait_for_stuck(ledger, 2, holder.popen.pid)
        with worker(store_url, ledger) as (_, other):  # looks for tasks of dead workers at once
            assert other.wait(other.start("settle", number=3)["taskId"])["status"] == "completed"
            assert [other.get(task)["status"] for task in tasks] == ["working", "working"]
        assert Counter((kind, number) for kind, number, _ in ledger.lines()).most_common(1)[0][1] == 1
        for task in tasks:
            client.cancel(task)
