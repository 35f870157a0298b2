"""Endpoints that ask the user, over everything that a client may speak."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
from fastapi import FastAPI
from mcp import Client, MCPError
from mcp_types import CreateMessageResult, ElicitResult, ListRootsResult, Root, TextContent

from tests import web
from tests.protocol.asking import make_asking, make_asking_server, make_masking
from tests.protocol.clients import connect
from tests.protocol.wire import CAPABILITIES_KEY, HANDSHAKES, MODERN, Peer, reply
from tests.servers import PATIENCE, Serve, serving, serving_apart
from toolway import Settings, Toolway
from toolway.app import engine_of

# Where there is no session, a client of an older revision cannot be asked.
CAN_ASK = [
    ("http", "2026-07-28"),
    ("stateful http", "auto"),
    ("stateful http", "legacy"),
    ("stdio", "2026-07-28"),
    ("stdio", "legacy"),
]
STATEFUL = Settings(stateful=True)
ABLE = {"elicitation": {}, "sampling": {}, "roots": {}}
ANN = {"user_name": {"action": "accept", "content": {"name": "Ann"}}}
KEY_1, KEY_2 = "first key " * 4, "second key " * 4


class Person:
    """Answers questions in the order of the given answers, and remembers what was asked."""

    def __init__(self, *answers: Mapping[str, Any] | str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def elicit(self, context: Any, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            return ElicitResult(action=answer)  # type: ignore[arg-type]
        return ElicitResult(action="accept", content=dict(answer))

    async def sample(self, context: Any, params: Any) -> CreateMessageResult:
        self.asked.append(params.messages[0].content.text)
        return CreateMessageResult(role="assistant", content=TextContent(text="Paris"), model="small")

    async def list_roots(self, context: Any) -> ListRootsResult:
        self.asked.append("roots")
        return ListRootsResult(roots=[Root(uri="file:///home")])

    @property
    def options(self) -> dict[str, Any]:
        return {
            "elicitation_callback": self.elicit,
            "sampling_callback": self.sample,
            "list_roots_callback": self.list_roots,
        }


def text(result: Any) -> str:
    return result.content[0].text


everywhere = pytest.mark.parametrize(("transport", "mode"), CAN_ASK)


@everywhere
async def test_an_endpoint_asks_and_gets_typed_answers(transport: str, mode: str) -> None:
    ann = Person({"name": "Ann"}, {"name": "Bea"}, {"colour": "red"})
    async with connect(transport, mode, make_asking, STATEFUL, **ann.options) as client:
        assert text(await client.call_tool("greet", {"politely": True})) == '"Good day, Ann!"'
        assert text(await client.call_tool("paint")) == '"Bea likes red"'
    assert ann.asked == ["What is your name?", "What is your name?", "Which colour, Bea?"]


@everywhere
async def test_an_endpoint_asks_from_its_thread(transport: str, mode: str) -> None:
    ann = Person({"name": "Ann"})
    async with connect(transport, mode, make_asking, STATEFUL, **ann.options) as client:
        assert text(await client.call_tool("greet_in_a_thread")) == '"Hello, Ann!"'


@everywhere
async def test_an_endpoint_asks_several_things_at_once(transport: str, mode: str) -> None:
    ann = Person({"name": "Ann"}, {"name": "Bea"}, {"name": "Cy"})
    async with connect(transport, mode, make_asking, STATEFUL, **ann.options) as client:
        result = await client.call_tool("gather")
        assert result.structured_content == {"name": "Ann", "greeting": "Paris", "roots": ["file:///home"]}
        assert sorted(ann.asked) == ["What is your name?", "Write a greeting", "roots"]
        assert text(await client.call_tool("unnamed")) == '"Bea and Cy"'
        assert text(await client.call_tool("think")) == '"Paris"'


@everywhere
async def test_an_answer_that_does_not_fit_is_asked_for_again_with_the_reason(transport: str, mode: str) -> None:
    ann = Person({"name": "A"}, {}, {"name": "Ann"})
    async with connect(transport, mode, make_asking, STATEFUL, **ann.options) as client:
        assert text(await client.call_tool("greet")) == '"Hello, Ann!"'
    problems = ("name: String should have at least 2 characters", "name: Field required")
    question = "What is your name?"
    assert ann.asked == [
        question,
        *(f"{question}\n\nYour previous answer was not valid: {problem}" for problem in problems),
    ]


async def test_a_client_whose_answers_never_fit_is_told_what_is_wrong() -> None:
    ann = Person({"name": "A"}, {"name": "B"}, {"name": "C"})
    async with connect("stateful http", "legacy", make_asking, STATEFUL, **ann.options) as client:
        result = await client.call_tool("greet")
    assert result.is_error
    assert "name: String should have at least 2 characters" in text(result)


@everywhere
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_user_may_decline(transport: str, mode: str, action: str) -> None:
    ann = Person(action, action)
    async with connect(transport, mode, make_asking, STATEFUL, **ann.options) as client:
        result = await client.call_tool("greet")
        assert result.is_error
        assert text(result).startswith("403 Forbidden: The user ")
        assert text(await client.call_tool("survive")) == f'"without a name: {action}"'


@everywhere
async def test_a_confirmed_tool_runs_only_after_a_yes(transport: str, mode: str) -> None:
    ann = Person({"ok": True}, {"ok": False}, "decline", "cancel", {"ok": True}, {"ok": True})
    async with connect(transport, mode, make_asking, STATEFUL, **ann.options) as client:
        assert text(await client.call_tool("cancel_order", {"order_id": "#1"})) == '"cancelled #1"'
        for _ in range(3):
            refused = await client.call_tool("cancel_order", {"order_id": "#2"})
            assert refused.is_error
        assert text(await client.call_tool("confirm_twice", {"order_id": "#3"})) == '"True"'
    assert ann.asked[0] == 'Cancel order "#1" because of "no need"?'
    assert ann.asked[-2:] == ['Change order "#3"?', "Really?"]


@pytest.mark.parametrize(("transport", "mode"), [*CAN_ASK, ("http", "legacy")])
async def test_a_client_that_cannot_be_asked_gets_the_error_of_its_protocol(transport: str, mode: str) -> None:
    stateful = STATEFUL if transport != "http" else None
    async with connect(transport, mode, make_asking, stateful) as client:
        for name, kind in (("greet", "elicitation"), ("think", "sampling")):
            if client.protocol_version >= MODERN:
                with pytest.raises(MCPError) as caught:
                    await client.call_tool(name)
                assert caught.value.error.code == -32021
                assert list(caught.value.error.data["requiredCapabilities"]) == [kind]
            else:
                result = await client.call_tool(name)
                assert result.is_error
                assert kind in text(result)
        with suppress(MCPError):
            assert (await client.call_tool("cancel_order", {"order_id": "#1"})).is_error


@everywhere
async def test_prompts_and_resources_ask_in_the_same_way(transport: str, mode: str) -> None:
    ann = Person({"name": "Ann"}, {"name": "Bea"})
    async with connect(transport, mode, make_asking, STATEFUL, **ann.options) as client:
        (message,) = (await client.get_prompt("brief")).messages
        assert message.content.text == "Listen, Ann."
        (contents,) = (await client.read_resource("shop://card")).contents
        assert json.loads(contents.text) == {"name": "Bea"}


async def test_whatever_an_application_does_with_exceptions_the_question_is_put() -> None:
    for make in (make_asking, make_masking):
        app = make()
        async with engine_of(Toolway(app, settings=Settings())).run() as running:
            for name in ("greet", "swallow", "transact"):
                ann = Person({"name": "Ann"})
                async with Client(running.server, mode=MODERN, **ann.options) as client:
                    assert "Ann" in text(await client.call_tool(name))
    assert app.state.done["rolled back"] == 1


async def test_switching_confirmation_off_lets_tools_run_at_once() -> None:
    app = make_asking()
    async with (
        engine_of(Toolway(app, settings=Settings(confirm=False))).run() as running,
        Client(running.server) as client,
    ):
        assert not (await client.call_tool("cancel_order", {"order_id": "#1"})).is_error
    assert app.state.done["#1"] == 1


async def test_confirming_where_it_is_possible_lets_clients_go_on_that_cannot_be_asked() -> None:
    app = make_asking()
    async with engine_of(Toolway(app, settings=Settings(confirm="if_possible"))).run() as running:
        for mode in (MODERN, "legacy"):
            ann = Person("decline")
            async with Client(running.server, mode=mode, **ann.options) as client:
                assert (await client.call_tool("cancel_order", {"order_id": "#1"})).is_error
            async with Client(running.server, mode=mode) as client:
                assert not (await client.call_tool("cancel_order", {"order_id": "#2"})).is_error
    assert (app.state.done["#1"], app.state.done["#2"]) == (0, 2)


# What follows is about the state that travels with a client of 2026-07-28.


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, FastAPI]]:
    app = make_asking_server()
    with serving(app) as base:
        yield f"{base}/mcp", app


@pytest.fixture
def peer(served: tuple[str, FastAPI]) -> Peer:
    return Peer(served[0])


def call(peer: Peer, name: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> httpx2.Response:
    headers = more.pop("headers", None)
    meta = {CAPABILITIES_KEY: more.pop("able", ABLE)}
    params = {"name": name, "arguments": dict(arguments or {}), "_meta": meta, **more}
    return peer.send("tools/call", params, headers=headers)


def result(response: httpx2.Response) -> dict[str, Any]:
    message = reply(response)
    assert "result" in message, message
    return message["result"]


def state_of(response: httpx2.Response) -> str:
    return result(response)["requestState"]


def is_refused(response: httpx2.Response) -> bool:
    error = reply(response).get("error")
    return response.status_code == 400 and error == {
        "code": -32602,
        "message": "Invalid or expired requestState",
        "data": {"reason": "invalid_request_state"},
    }


def test_a_question_ends_the_call_as_input_required(peer: Peer) -> None:
    question = result(call(peer, "greet"))
    assert question["resultType"] == "input_required"
    assert "ttlMs" not in question
    (request,) = question["inputRequests"].values()
    assert list(question["inputRequests"]) == ["user_name"]
    assert request["method"] == "elicitation/create"
    assert request["params"]["message"] == "What is your name?"
    answered = result(call(peer, "greet", inputResponses=ANN, requestState=question["requestState"]))
    assert answered["content"][0]["text"] == '"Hello, Ann!"'
    assert answered["resultType"] == "complete"


def test_answers_to_questions_that_were_not_asked_are_left_aside(peer: Peer) -> None:
    """M2: neither answers without a state, nor those under another key than a question's, are acted on."""
    assert result(call(peer, "greet", inputResponses=ANN))["resultType"] == "input_required"
    state = state_of(call(peer, "paint"))
    answers = {key: {"action": "accept", "content": {"name": "Ann", "colour": "red"}} for key in ("step1", "step2")}
    second = result(call(peer, "paint", inputResponses=answers, requestState=state))
    assert list(second["inputRequests"]) == ["step2"]
    assert second["requestState"] != state


def test_missing_answers_are_asked_for_again(peer: Peer) -> None:
    state = state_of(call(peer, "gather"))
    again = result(call(peer, "gather", inputResponses=ANN, requestState=state))
    assert sorted(again["inputRequests"]) == ["client_roots", "greeting"]


@pytest.mark.parametrize("answer", [12345, None, [], {"action": "accept"}, {"action": "maybe"}, "Ann"])
def test_junk_in_place_of_an_answer_is_never_taken_for_one(peer: Peer, answer: Any) -> None:
    state = state_of(call(peer, "greet"))
    message = reply(call(peer, "greet", inputResponses={"user_name": answer}, requestState=state))
    assert "error" in message or message["result"]["resultType"] == "input_required"


def test_a_client_is_asked_only_what_it_can_be_asked(peer: Peer) -> None:
    assert result(call(peer, "able", able={"sampling": {}}))["structuredContent"] == ["sampling"]
    response = call(peer, "gather", able={"sampling": {}, "roots": {}})
    assert response.status_code == 400
    error = reply(response)["error"]
    assert (error["code"], error["data"]) == (-32021, {"requiredCapabilities": {"elicitation": {"form": {}}}})
    assert reply(call(peer, "greet", able={"elicitation": {"url": {}}}))["error"]["code"] == -32021


@pytest.mark.parametrize(
    "change", [lambda text: text + "-TAMPERED", lambda text: text[:-1], lambda text: "v1.x", str.upper]
)
def test_a_tampered_state_is_refused(peer: Peer, change: Any) -> None:
    state = state_of(call(peer, "greet"))
    assert is_refused(call(peer, "greet", inputResponses=ANN, requestState=change(state)))


def test_a_state_of_another_call_is_refused(peer: Peer) -> None:
    state = state_of(call(peer, "greet"))
    assert is_refused(call(peer, "greet", {"politely": True}, inputResponses=ANN, requestState=state))
    assert is_refused(call(peer, "survive", inputResponses=ANN, requestState=state))


@pytest.mark.parametrize("header", ["authorization", "x-key"])
def test_a_state_stolen_by_another_caller_is_refused(peer: Peer, header: str) -> None:
    state = state_of(call(peer, "own", headers={header: "Bearer ann"}))
    answers = {"answer1": ANN["user_name"]}
    for stolen in ({}, {header: "Bearer bob"}, {header: "Bearer ann", "authorization": "Bearer bob"}):
        assert is_refused(call(peer, "own", inputResponses=answers, requestState=state, headers=stolen))
    kept = call(peer, "own", inputResponses=answers, requestState=state, headers={header: "Bearer ann"})
    assert "Ann" in result(kept)["content"][0]["text"]


def test_a_state_belongs_to_whom_a_forwarded_header_names(serve: Serve) -> None:
    """A proxy that has logged people in says so in a header of its own."""
    peer = Peer(serve(make_asking_server(Settings(forward_headers=["x-user"]))) + "/mcp")
    state = state_of(call(peer, "greet", headers={"x-user": "ann"}))
    for stolen in ({}, {"x-user": "bob"}):
        assert is_refused(call(peer, "greet", inputResponses=ANN, requestState=state, headers=stolen))
    kept = call(peer, "greet", inputResponses=ANN, requestState=state, headers={"x-user": "ann"})
    assert "Ann" in result(kept)["content"][0]["text"]


def test_a_state_is_used_once(served: tuple[str, FastAPI], peer: Peer) -> None:
    done = served[1].state.done
    answers = {"toolway.confirm": {"action": "accept", "content": {"ok": True}}}
    state = state_of(call(peer, "cancel_order", {"order_id": "#7"}))
    assert done["#7"] == 0
    yes = {"inputResponses": answers, "requestState": state}
    assert not result(call(peer, "cancel_order", {"order_id": "#7"}, **yes))["isError"]
    assert is_refused(call(peer, "cancel_order", {"order_id": "#7"}, **yes))
    assert done["#7"] == 1


def test_a_state_expires(serve: Serve) -> None:
    peer = Peer(serve(make_asking_server(Settings(state_seconds=0.001))) + "/mcp")
    state = state_of(call(peer, "greet"))
    assert is_refused(call(peer, "greet", inputResponses=ANN, requestState=state))


def test_keys_are_rotated_without_losing_a_question(serve: Serve) -> None:
    def served_with(*keys: str) -> Peer:
        return Peer(serve(make_asking_server(Settings.model_validate({"state_keys": keys}))) + "/mcp")

    old, both, new = served_with(KEY_1), served_with(KEY_2, KEY_1), served_with(KEY_2)
    first = state_of(call(old, "greet"))
    assert is_refused(call(new, "greet", inputResponses=ANN, requestState=first))
    assert "Ann" in str(result(call(both, "greet", inputResponses=ANN, requestState=first)))
    second = state_of(call(both, "greet"))
    assert is_refused(call(old, "greet", inputResponses=ANN, requestState=second))
    assert "Ann" in str(result(call(new, "greet", inputResponses=ANN, requestState=second)))


def test_every_process_with_the_key_understands_the_others(serve: Serve) -> None:
    """Two servers in processes of their own, as two workers are."""
    env = {"TOOLWAY_STATE_KEYS": f'["{KEY_1}"]'}
    with (
        serving_apart("tests.protocol.asking:app", env=env) as one,
        serving_apart("tests.protocol.asking:app", env=env) as two,
    ):
        state = state_of(call(Peer(f"{one}/mcp"), "greet"))
        assert "Ann" in str(result(call(Peer(f"{two}/mcp"), "greet", inputResponses=ANN, requestState=state)))
        asked = web.post(f"{one}/greet").json()["detail"]
        headers = {"Toolway-State": asked["state"], "Toolway-Answers": '{"user_name": {"name": "Ann"}}'}
        assert web.post(f"{two}/greet", headers=headers).json() == "Hello, Ann!"


def test_an_answer_is_accepted_once_by_all_processes_with_the_key(tmp_path: Path) -> None:
    env = {"TOOLWAY_STATE_KEYS": f'["{KEY_1}"]', "TOOLWAY_STORE_URL": f"sqlite:///{tmp_path}/store.db"}
    with (
        serving_apart("tests.protocol.asking:app", env=env) as one,
        serving_apart("tests.protocol.asking:app", env=env) as two,
    ):
        state = state_of(call(Peer(f"{one}/mcp"), "greet"))
        assert "Ann" in str(result(call(Peer(f"{one}/mcp"), "greet", inputResponses=ANN, requestState=state)))
        assert is_refused(call(Peer(f"{two}/mcp"), "greet", inputResponses=ANN, requestState=state))
        asked = web.post(f"{one}/greet").json()["detail"]
        headers = {"Toolway-State": asked["state"], "Toolway-Answers": '{"user_name": {"name": "Ann"}}'}
        assert web.post(f"{one}/greet", headers=headers).status_code == 200
        assert web.post(f"{two}/greet", headers=headers).status_code == 400


def test_without_a_store_an_answer_is_accepted_once_per_process(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"state_keys": [KEY_1], "store_url": f"sqlite:///{tmp_path}"}  # a folder
    peer = Peer(serve(make_asking_server(Settings.model_validate(settings))) + "/mcp")
    state = state_of(call(peer, "greet"))
    assert "Ann" in str(result(call(peer, "greet", inputResponses=ANN, requestState=state)))
    assert is_refused(call(peer, "greet", inputResponses=ANN, requestState=state))
    assert "TOOLWAY_STORE_URL cannot be used" in caplog.text


# What follows is about asking while a call runs.


@pytest.mark.parametrize("transport", ["stateful http", "stdio"])
async def test_cancelling_a_call_ends_its_question(transport: str) -> None:
    asked = anyio.Event()

    async def never(context: Any, params: Any) -> ElicitResult:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    async with connect(transport, "legacy", make_asking, STATEFUL, elicitation_callback=never) as client:
        async with anyio.create_task_group() as group:

            async def leave() -> None:
                await asked.wait()
                group.cancel_scope.cancel()

            group.start_soon(leave)
            await client.call_tool("wait_for_name")
        with anyio.fail_after(PATIENCE):
            while (await client.call_tool("count_done", {"what": "ended"})).structured_content != {"result": 1}:
                await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("version", HANDSHAKES)
def test_without_a_session_a_handshake_client_cannot_be_asked(peer: Peer, version: str) -> None:
    answer = Peer(peer.url, version).call("cancel_order", {"order_id": "#9"})
    assert answer["isError"]
    assert "cannot be asked" in answer["content"][0]["text"]
