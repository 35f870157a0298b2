"""Several workers under one supervisor, as ``toolway serve --workers`` runs them."""

from __future__ import annotations

from tests.tasks.serving import Ledger, worker


def test_tasks_run_in_all_workers_and_any_worker_returns_them(store_url: str, ledger: Ledger) -> None:
    with worker(store_url, ledger, "--workers", "2", slots=1) as (_, client):
        meetings = [client.start("meet", number=number)["taskId"] for number in (1, 2)]
        charges = [client.start("charge", number=number)["taskId"] for number in range(10)]
        ended = [client.wait(task) for task in meetings + charges]
    assert {state["status"] for state in ended} == {"completed"}
    results = [state["result"]["structuredContent"] for state in ended]
    assert len({result["process"] for result in results[:2]}) == 2
    assert results[2:] == [{"square": number * number} for number in range(10)]
    runs = [number for kind, number, _ in ledger.lines() if kind == "charge"]
    assert sorted(runs) == list(range(10))
