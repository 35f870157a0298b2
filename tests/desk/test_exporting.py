"""An export of orders as agents see it: a task, whose result is a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import web
from tests.protocol.tasking import Client
from tests.protocol.wire import OPTIONS
from tests.replay.servers import http_desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The base URL of a desk with made-up orders, and the folder of its store."""
    folder = tmp_path_factory.mktemp("desk")
    with http_desk(
        f"sqlite:///{folder / 'orders.db'}", RETAIL_SEED_EMPTY_STORE="true", RETAIL_EXPORT_PART_BYTES="4096"
    ) as url:
        yield url, folder


def test_an_export_is_a_task_if_the_client_supports_tasks_and_only_its_caller_can_read_it(
    desk: tuple[str, Path],
) -> None:
    url, folder = desk
    ada, omar = Client(url, "ada"), Client(url, "omar")
    task = ada.start("export_orders", statuses=["cancelled"])
    assert task["resultType"] == "task"
    state = ada.wait(task["taskId"])
    assert state["status"] == "completed", state
    made = state["result"]["structuredContent"]
    links = [block for block in state["result"]["content"] if block["type"] == "resource_link"]
    assert len(links) > 2
    rows: list[str] = []
    for number, link in enumerate(links, 1):
        assert (link["name"], link["mimeType"]) == (f"orders-{number}.csv", "text/csv")
        uri = link["uri"]
        (contents,) = ada.peer.ask(
            "resources/read", {"uri": uri}, headers={"authorization": "Bearer ada", "mcp-name": uri}
        )["contents"]
        assert contents["mimeType"] == "text/csv"
        assert len(contents["text"]) < 5000
        header, *some = contents["text"].splitlines()
        rows += some
        refused = omar.peer.refusal(
            "resources/read", {"uri": uri}, headers={"authorization": "Bearer omar", "mcp-name": uri}
        )
        assert refused["code"] == -32602
    assert len(rows) == made["orders"]
    whole = web.get(url + made["download"], headers={"authorization": "Bearer ada"}, **OPTIONS)
    assert whole.text.splitlines() == [header, *rows]
    assert len(whole.content) == made["size"]
    assert [entry.suffix for entry in (folder / "exports").iterdir()] == [".csv"]
