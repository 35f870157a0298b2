"""Who listens for tasks of their own is told how they stand (SEP-2663, task status notifications)."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import web
from tests.protocol.tasking import DECLARED, Client, make_tasking
from tests.protocol.wire import OPTIONS, Peer, headers_of, message
from tests.servers import serving
from toolway import Settings

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
NEVER = "never-was-one"


class Served:
    """Two servers on one store."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(store_url=f"sqlite:///{folder}/tasks.db")
        self.app, self.other = make_tasking(settings), make_tasking(settings)
        self.tracker = self.app.state.tracker
        self.url = self.other_url = ""

    def open(self) -> None:
        for app in (self.app, self.other):  # either may run a task
            app.state.tracker.opened.set()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path)
    with serving(server.app) as server.url, serving(server.other) as server.other_url:
        yield server


@contextmanager
def listening(url: str, *tasks: str, token: str | None = None) -> Generator[Iterator[dict[str, Any]]]:
    """Listen for tasks; yield the messages as they come."""
    body = message("2026-07-28", "subscriptions/listen", {"notifications": {"taskIds": tasks}, **DECLARED}, 7)
    headers = headers_of("2026-07-28", body) | ({"authorization": f"Bearer {token}"} if token else {})
    with web.stream("POST", f"{url}/mcp", json=body, headers=headers, **OPTIONS) as answer:
        lines = (line.removeprefix("data:") for line in answer.iter_lines() if line.startswith("data:"))
        yield (json.loads(line) for line in lines)


def acknowledged(messages: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """What a listener is promised."""
    hello = next(messages)
    assert hello["method"] == "notifications/subscriptions/acknowledged"
    return hello["params"]["notifications"]


def heard(messages: Iterator[dict[str, Any]], status: str) -> dict[str, Any]:
    """The first word of a task that has this status."""
    for said in messages:
        assert said["method"] == "notifications/tasks"
        assert said["params"]["_meta"] == {SUBSCRIPTION: 7}
        if said["params"]["status"] == status:
            return {key: value for key, value in said["params"].items() if key != "_meta"}
    raise AssertionError(f"the stream has ended without {status!r}")


def state(client: Client, task: str) -> dict[str, Any]:
    return {key: value for key, value in client.get(task).items() if key not in {"_meta", "resultType"}}


def test_a_listener_is_told_how_a_task_stands_and_each_time_that_changes(served: Served) -> None:
    client = Client(served.url)
    task = client.start("hold")["taskId"]
    with listening(served.url, task, NEVER) as messages:
        assert acknowledged(messages) == {"taskIds": [task]}
        assert heard(messages, "working")["taskId"] == task
        served.open()
        done = heard(messages, "completed")
    assert done == state(client, task)
    assert done["result"]["structuredContent"] == "held"


def test_what_has_ended_before_is_told_at_once(served: Served) -> None:
    client = Client(served.url)
    task = client.start("nothing")["taskId"]
    client.wait(task)
    with listening(served.url, task) as messages:
        acknowledged(messages)
        assert heard(messages, "completed") == state(client, task)


def test_whichever_worker_changes_it(served: Served) -> None:
    client = Client(served.url)
    task = client.start("hold")["taskId"]
    with listening(served.other_url, task) as messages:
        assert acknowledged(messages) == {"taskIds": [task]}
        heard(messages, "working")
        client.cancel(task)
        heard(messages, "cancelled")


def test_a_task_that_asks_says_what(served: Served) -> None:
    client = Client(served.url)
    task = client.ask("both", {})["taskId"]
    with listening(served.url, task) as messages:
        acknowledged(messages)
        questions = heard(messages, "input_required")["inputRequests"]
        client.answer(task, **{key: {"name": "Ann"} for key in questions})
        (third,) = heard(messages, "input_required")["inputRequests"]
        client.answer(task, **{third: {"name": "Bob"}})
        assert heard(messages, "completed")["result"]["structuredContent"] == "Ann, Ann and Bob"


def test_nobody_else_hears_of_a_task(served: Served) -> None:
    task = Client(served.url, "ann").start("me")["taskId"]
    for token in ("bob", None):
        with listening(served.url, task, token=token) as messages:
            assert acknowledged(messages) == {}
    with listening(served.url, task, token="ann") as messages:
        assert acknowledged(messages) == {"taskIds": [task]}


def test_who_does_not_declare_the_extension_hears_of_no_task(served: Served) -> None:
    error = Peer(f"{served.url}/mcp").refusal("subscriptions/listen", {"notifications": {"taskIds": [NEVER]}})
    assert error["code"] == -32021
    assert error["data"] == {"requiredCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}}


@pytest.mark.parametrize("tasks", ["one", [1], {"a": "b"}, [f"task{number}" for number in range(101)]])
def test_what_is_no_list_of_tasks_is_refused(served: Served, tasks: Any) -> None:
    params = {"notifications": {"taskIds": tasks}, **DECLARED}
    error = Peer(f"{served.url}/mcp").refusal("subscriptions/listen", params)
    assert error["code"] == -32602
    assert "taskIds" in error["message"]
