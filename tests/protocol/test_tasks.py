"""The tasks extension: long calls are answered with a handle, and their outcome is asked for later (SEP-2663)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import web
from tests.protocol.tasking import DECLARED, EXTENSION, Client, make_tasking
from tests.protocol.wire import HANDSHAKES, Peer
from tests.servers import serving
from toolway import Settings


class Served:
    """A server whose tasks are in a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "var" / "tasks.db"
        settings = Settings(
            store_url=f"sqlite:///{self.file}", tasks_per_caller=8, stream_seconds=0.5, forward_headers=["x-user"]
        )
        self.app = make_tasking(settings)
        self.tracker = self.app.state.tracker
        self.url = ""

    def client(self, token: str | None = None) -> Client:
        return Client(self.url, token)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("store"))
    with serving(server.app) as server.url:
        yield server


def test_a_call_is_answered_with_a_task_whose_outcome_is_that_of_the_plain_call(served: Served) -> None:
    client = served.client()
    started = client.start("add", first=2, second=3)
    assert started["resultType"] == "task"
    assert started["status"] == "working"
    assert started["ttlMs"] == 24 * 60 * 60 * 1000
    assert started["pollIntervalMs"] == 1000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", started["createdAt"])
    ended = client.wait(started["taskId"])
    assert ended["resultType"] == "complete"
    assert ended["status"] == "completed"
    plain = Peer(f"{served.url}/mcp").call("add", {"first": 2, "second": 3})
    assert {key: ended["result"][key] for key in ("content", "structuredContent", "isError")} == {
        key: plain[key] for key in ("content", "structuredContent", "isError")
    }


def test_the_extension_is_advertised(served: Served) -> None:
    assert Peer(f"{served.url}/mcp").ask("server/discover")["capabilities"]["extensions"] == {EXTENSION: {}}


def test_a_tool_that_refuses_has_completed_with_an_error(served: Served) -> None:
    client = served.client()
    ended = client.wait(client.start("refuse")["taskId"])
    assert ended["status"] == "completed"
    assert ended["result"]["isError"] is True
    assert "the shop is closed" in ended["result"]["content"][0]["text"]


def test_arguments_are_refused_as_in_a_plain_call(served: Served) -> None:
    client = served.client()
    ended = client.wait(client.start("add", first="two", second=3)["taskId"])
    assert ended["status"] == "completed"
    assert ended["result"]["_meta"]["toolway/error"]["problems"][0]["argument"] == "first"


def test_a_client_without_the_extension_gets_the_plain_call(served: Served) -> None:
    result = Peer(f"{served.url}/mcp").call("add", {"first": 1, "second": 1})
    assert result["resultType"] == "complete"
    assert result["structuredContent"] == {"sum": 2}


def test_a_tool_that_needs_tasks_says_so_to_a_client_without_them(served: Served) -> None:
    error = Peer(f"{served.url}/mcp").refusal("tools/call", {"name": "refuse", "arguments": {}})
    assert error["code"] == -32021
    assert error["data"] == {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}


@pytest.mark.parametrize("version", HANDSHAKES)
@pytest.mark.parametrize("tool", ["add", "refuse"])
def test_handshake_revisions_get_the_plain_call(served: Served, version: str, tool: str) -> None:
    arguments = {"first": 1, "second": 1} if tool == "add" else {}
    result = Peer(f"{served.url}/mcp", version).call(tool, arguments)
    assert result["isError"] is (tool == "refuse")
    assert Peer(f"{served.url}/mcp", version).refusal("tasks/get", {"taskId": "x"})["code"] == -32601


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_who_does_not_declare_the_extension_may_not_speak_of_tasks(served: Served, method: str) -> None:
    params = {"taskId": "x", "inputResponses": {}}
    error = Peer(f"{served.url}/mcp").refusal(method, params, headers={"mcp-name": "x"})
    assert error["code"] == -32021


@pytest.mark.parametrize("method", ["tasks/list", "tasks/result"])
def test_methods_of_the_older_extension_are_unknown(served: Served, method: str) -> None:
    params = {"taskId": "x", **DECLARED}
    assert Peer(f"{served.url}/mcp").refusal(method, params)["code"] == -32601


@pytest.mark.parametrize("said", [None, "another"])
def test_the_header_names_the_task(served: Served, said: str | None) -> None:
    task = served.client().start("add", first=1, second=2)["taskId"]
    headers = {"mcp-name": said} if said else {}
    answer = Peer(f"{served.url}/mcp").send("tasks/get", {"taskId": task, **DECLARED}, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -32020


def test_progress_is_the_word_on_the_status(served: Served) -> None:
    client = served.client()
    task = client.start("hold")["taskId"]
    state = client.wait(task, lambda state: "statusMessage" in state)
    assert state["status"] == "working"
    assert state["statusMessage"] == "one of the parts (1 of 4)"
    client.cancel(task)


def test_cancelling_stops_the_work(served: Served) -> None:
    client = served.client()
    before = served.tracker.counts["stopped"]
    task = client.start("hold")["taskId"]
    client.wait(task, lambda state: "statusMessage" in state)
    acknowledged = client.cancel(task)
    assert acknowledged.keys() == {"resultType", "_meta"}
    served.tracker.wait("stopped", before + 1)
    state = client.get(task)
    assert state["status"] == "cancelled"
    assert "result" not in state
    assert client.cancel(task).keys() == {"resultType", "_meta"}


def test_what_has_ended_cannot_be_cancelled_any_more(served: Served) -> None:
    client = served.client()
    task = client.start("add", first=1, second=2)["taskId"]
    client.wait(task)
    client.cancel(task)
    assert client.get(task)["status"] == "completed"


def test_the_endpoint_sees_the_credentials_of_its_caller(served: Served) -> None:
    client = served.client("secret-of-anna")
    ended = client.wait(client.start("me")["taskId"])
    assert ended["result"]["structuredContent"] == "secret-of-anna"


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
@pytest.mark.parametrize("token", ["secret-of-eve", None])
def test_another_caller_hears_what_is_said_of_an_unknown_task(served: Served, method: str, token: str | None) -> None:
    task = served.client("secret-of-anna").start("me")["taskId"]
    thief = served.client(token)
    params: dict[str, Any] = {"inputResponses": {}} if method == "tasks/update" else {}
    stolen, unknown = thief.refusal(method, task, **params), thief.refusal(method, "never-given-out", **params)
    assert stolen == unknown
    assert stolen["code"] == -32602


def test_a_task_belongs_to_whom_a_forwarded_header_names(served: Served) -> None:
    task = Client(served.url, **{"x-user": "anna"}).start("add", first=1, second=2)["taskId"]
    for thief in (Client(served.url), Client(served.url, **{"x-user": "bob"})):
        assert thief.refusal("tasks/get", task)["code"] == -32602
    assert Client(served.url, **{"x-user": "anna"}).wait(task)["status"] == "completed"


@pytest.mark.parametrize("change", [str.swapcase, lambda task: task[:-1], lambda task: task + "A", lambda _: ""])
def test_a_changed_task_is_unknown(served: Served, change: Any) -> None:
    client = served.client()
    task = client.start("add", first=1, second=2)["taskId"]
    assert client.refusal("tasks/get", change(task))["code"] == -32602


def test_credentials_stand_nowhere_in_the_store(served: Served) -> None:
    client = served.client("secret-of-anna")
    client.start("me")
    task = client.start("hold")["taskId"]
    client.cancel(task)
    kept = b"".join(path.read_bytes() for path in served.file.parent.rglob("tasks.db*") if path.is_file())
    assert task.encode() in kept
    assert b"Bearer" not in kept
    key = served.file.with_name("tasks.db.key")
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_caller_may_have_so_many_unfinished_tasks(served: Served) -> None:
    client = served.client("secret-of-bob")
    tasks = [client.start("hold")["taskId"] for _ in range(8)]
    params = {"name": "hold", "arguments": {}, **DECLARED}
    error = client.peer.refusal("tools/call", params, headers={"authorization": "Bearer secret-of-bob"})
    assert "Too many unfinished tasks (8)" in error["message"]
    for task in tasks:
        client.cancel(task)
    assert client.start("add", first=1, second=2)["status"] == "working"


def test_over_plain_http_the_endpoint_just_runs(served: Served) -> None:

    assert web.post(f"{served.url}/add?first=1&second=2").json() == {"sum": 3}


def asked(state: dict[str, Any]) -> bool:
    return state["status"] == "input_required"


def test_a_task_asks_and_goes_on_when_everything_is_answered(served: Served) -> None:
    client = served.client()
    before = served.tracker.counts["both"]
    task = client.ask("both", {})["taskId"]
    questions = client.wait(task, asked)["inputRequests"]
    assert list(questions) == ["first.0", "second.0"]
    assert questions["first.0"]["method"] == "elicitation/create"
    assert questions["first.0"]["params"]["message"] == "Your name?"
    client.answer(task, **{"first.0": {"name": "Anna"}, "third.0": {"name": "nobody asked"}})
    state = client.get(task)
    assert state["status"] == "input_required"
    assert list(state["inputRequests"]) == ["second.0"]
    client.answer(task, **{"first.0": {"name": "too late"}, "second.0": {"name": "Berta"}})
    assert list(client.wait(task, lambda state: asked(state) and "third.1" in state["inputRequests"]))
    client.answer(task, **{"third.1": {"name": "Carl"}})
    assert client.wait(task)["result"]["structuredContent"] == "Anna, Berta and Carl"
    assert served.tracker.counts["both"] == before + 1


def test_a_user_who_declines_ends_the_task(served: Served) -> None:
    client = served.client()
    task = client.ask("both", {})["taskId"]
    client.wait(task, asked)
    responses = {"first.0": {"action": "decline"}, "second.0": {"action": "decline"}}
    params = {"taskId": task, "inputResponses": responses, **DECLARED}
    client.peer.ask("tasks/update", params, headers={"mcp-name": task})
    ended = client.wait(task)
    assert ended["status"] == "completed"
    assert ended["result"]["isError"] is True


def test_a_task_whose_client_cannot_be_asked_has_failed(served: Served) -> None:
    client = served.client()
    ended = client.wait(client.start("both")["taskId"])
    assert ended["status"] == "failed"
    assert ended["error"]["code"] == -32021
    assert ended["error"]["data"] == {"requiredCapabilities": {"elicitation": {"form": {}}}}


def test_a_tool_that_asks_first_becomes_a_task_with_the_answers(served: Served) -> None:
    client = served.client()
    first = client.ask("order", {})
    assert first["resultType"] == "input_required"
    assert list(first["inputRequests"]) == ["whom"]
    responses = {"whom": {"action": "accept", "content": {"name": "Dora"}}}
    second = client.ask("order", {}, inputResponses=responses, requestState=first["requestState"])
    assert second["resultType"] == "task"
    assert {"requestState", "inputRequests"}.isdisjoint(second)
    assert client.wait(second["taskId"])["result"]["structuredContent"] == "for Dora"


@pytest.mark.parametrize(("ok", "swept"), [(True, 1), (False, 0)])
def test_a_yes_is_asked_for_before_there_is_a_task(served: Served, ok: bool, swept: int) -> None:
    client = served.client()
    before = served.tracker.counts["swept"]
    first = client.ask("sweep", {"room": "hall"})
    (key,) = first["inputRequests"]
    responses = {key: {"action": "accept", "content": {"ok": ok}}}
    params = {"inputResponses": responses, "requestState": first["requestState"]}
    ended = client.wait(client.ask("sweep", {"room": "hall"}, **params)["taskId"])
    assert ended["result"]["isError"] is not ok
    assert served.tracker.counts["swept"] == before + swept


def test_a_stream_is_followed_to_its_end(served: Served) -> None:
    """Within a request it is cut, as the caller waits."""
    client = served.client()
    ended = client.wait(client.start("tail")["taskId"])
    assert ended["result"]["content"][0]["text"] == "line 0\nline 1\nline 2\n"
    assert "line 2" not in client.peer.call("tail")["content"][0]["text"]


def test_a_second_application_of_a_process_runs_what_it_can_within_requests(served: Served, tmp_path: Path) -> None:
    served.client().wait(served.client().start("add", first=1, second=2)["taskId"])
    second = make_tasking(Settings(store_url=f"sqlite:///{tmp_path}/tasks.db"))
    with serving(second) as url:
        client = Client(url)
        assert client.start("add", first=1, second=2)["structuredContent"] == {"sum": 3}
        error = client.peer.refusal("tools/call", {"name": "refuse", "arguments": {}, **DECLARED})
    assert "another application" in error["message"]
