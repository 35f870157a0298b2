"""The suite speaks HTTP only: over stdio the official client finds the same, in both eras."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CreateMessageResult,
    ElicitResult,
    EmptyResult,
    ListRootsResult,
    PromptReference,
    ResourceTemplateReference,
    Root,
    SetLevelRequest,
    SetLevelRequestParams,
    SubscribeRequest,
    TextContent,
    UnsubscribeRequest,
)

from tests.conformance.fixtures.samples import PICTURE
from tests.protocol.wire import CAPABILITIES_KEY, HANDSHAKES, MODERN, VERSION_KEY
from tests.servers import PATIENCE
from tests.support import ROOT

pytestmark = pytest.mark.anyio

COMMAND = [sys.executable, "-m", "toolway", "stdio", "tests.conformance.app:app"]
MODES = {"auto": MODERN, "legacy": HANDSHAKES[-1]}


@asynccontextmanager
async def connected(mode: str, folder: Path, **options: Any) -> AsyncGenerator[Client]:
    """Start the application over stdio, and connect the official client to it."""
    env = {**os.environ, "TOOLWAY_STORE_URL": f"sqlite:///{folder / 'tasks.db'}"}
    started = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], cwd=ROOT, env=env)
    server = stdio_client(started, errlog=cast("Any", subprocess.DEVNULL))
    async with Client(server, mode=mode, **options) as client:
        assert client.protocol_version == MODES[mode]
        yield client


class Person:
    """A client that answers for a user and a model, and records the requests and messages that it gets."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.said: list[Any] = []
        self.changed = anyio.Event()
        self.changes: list[str] = []

    async def elicit(self, _context: Any, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        fields = {"name": "Alice", "ok": True, "color": "blue", "context": "the shop"}
        return ElicitResult(
            action="accept",
            content={key: fields[key] for key in params.requested_schema["properties"] if key in fields},
        )

    async def sample(self, _context: Any, params: Any) -> CreateMessageResult:
        self.asked.append(params.messages[0].content.text)
        return CreateMessageResult(role="assistant", content=TextContent(text="Paris"), model="none")

    async def roots(self, _context: Any) -> ListRootsResult:
        self.asked.append("roots")
        return ListRootsResult(roots=[Root(uri="file:///shop")])

    async def hear(self, params: Any) -> None:
        self.said.append(params.data)

    async def notice(self, message: Any) -> None:
        if (method := getattr(message, "method", "")).endswith("list_changed"):
            self.changes.append(method)
            self.changed.set()

    @property
    def options(self) -> dict[str, Any]:
        return {
            "elicitation_callback": self.elicit,
            "sampling_callback": self.sample,
            "list_roots_callback": self.roots,
            "logging_callback": self.hear,
            "message_handler": self.notice,
        }


@pytest.fixture(scope="module")
def person() -> Person:
    return Person()


@pytest.fixture(scope="module", params=list(MODES))
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
async def client(mode: str, person: Person, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Client]:
    """One server for most of the tests, as it takes its time to start."""
    options = {"log_level": "info"} if mode == "auto" else {}
    async with connected(mode, tmp_path_factory.mktemp("store"), **person.options, **options) as connection:
        yield connection


async def texts(client: Client, name: str, arguments: dict[str, Any] | None = None, **options: Any) -> list[str]:
    result = await client.call_tool(name, arguments or {}, **options)
    assert not result.is_error, result
    return [block.text for block in result.content if isinstance(block, TextContent)]


async def test_tools_answer_with_every_kind_of_content(client: Client) -> None:
    names = [tool.name for tool in (await client.list_tools()).tools]
    assert await texts(client, "test_simple_text") == ["This is a simple text response for testing."]
    (image,) = (await client.call_tool("test_image_content")).content
    (audio,) = (await client.call_tool("test_audio_content")).content
    (held,) = (await client.call_tool("test_embedded_resource")).content
    mixed = (await client.call_tool("test_multiple_content_types")).content
    assert {"test_simple_text", "json_schema_2020_12_tool", "greet"} <= set(names)
    assert (image.type, image.mime_type, audio.type, audio.mime_type) == ("image", "image/png", "audio", "audio/wav")
    assert held.resource.text == "This is an embedded resource content."
    assert [block.type for block in mixed] == ["text", "image", "resource"]


async def test_errors_are_those_of_the_protocol_and_of_the_tool(client: Client, mode: str) -> None:
    failed = await client.call_tool("test_error_handling")
    with pytest.raises(MCPError) as unknown:
        await client.call_tool("no_such_tool")
    with pytest.raises(MCPError) as missing:
        await client.read_resource("test://nowhere")
    with pytest.raises(MCPError) as nothing:
        await client.get_prompt("no_such_prompt")
    assert failed.is_error
    assert "This tool intentionally returns an error for testing" in failed.content[0].text
    assert (unknown.value.code, nothing.value.code) == (-32602, -32602)
    assert missing.value.code == (-32602 if mode == "auto" else -32002)


async def test_resources_and_templates_are_read(client: Client) -> None:
    uris = {str(entry.uri) for entry in (await client.list_resources()).resources}
    (template,) = (await client.list_resource_templates()).resource_templates
    (text,) = (await client.read_resource("test://static-text")).contents
    (picture,) = (await client.read_resource("test://static-binary")).contents
    (data,) = (await client.read_resource("test://template/123/data")).contents
    assert uris == {"test://static-text", "test://static-binary", "test://watched-resource"}
    assert template.uri_template == "test://template/{id}/data"
    assert text.text == "This is the content of the static text resource."
    assert (picture.mime_type, len(picture.blob) > len(PICTURE)) == ("image/png", True)
    assert json.loads(data.text) == {"id": "123", "templateTest": True, "data": "Data for ID: 123"}


async def test_prompts_are_written_and_their_arguments_completed(client: Client) -> None:
    names = {entry.name for entry in (await client.list_prompts()).prompts}
    (message,) = (await client.get_prompt("test_prompt_with_arguments", {"arg1": "hello", "arg2": "world"})).messages
    suggested = await client.complete(
        PromptReference(name="test_prompt_with_arguments"), {"name": "arg1", "value": "par"}
    )
    unknown = await client.complete(
        ResourceTemplateReference(uri="test://template/{id}/data"), {"name": "id", "value": "1"}
    )
    assert {"test_simple_prompt", "test_prompt_with_image", "test_input_required_result_prompt"} <= names
    assert message.content.text == "Prompt with arguments: arg1='hello', arg2='world'"
    assert suggested.completion.values == ["paris", "park", "party"]
    assert unknown.completion.values == []


async def test_questions_reach_the_user_the_model_and_the_client(client: Client, person: Person) -> None:
    """Over 2026-07-28 as results that want input, before that as requests of the server."""
    greeting = await texts(client, "test_input_required_result_elicitation")
    rounds = await texts(client, "test_input_required_result_multi_round")
    several = await client.call_tool("test_input_required_result_multiple_inputs")
    (message,) = (await client.get_prompt("test_input_required_result_prompt")).messages
    assert "Hello, Alice!" in greeting[0]
    assert "Alice likes blue" in rounds[0]
    assert several.structured_content["greeting"] == "Paris"
    assert several.structured_content["roots"][0]["uri"] == "file:///shop"
    assert message.content.text == "Work in this context: the shop"
    assert "Generate a greeting" in person.asked
    assert "roots" in person.asked


async def test_a_client_that_cannot_be_asked_gets_its_protocols_error(mode: str, tmp_path: Path) -> None:
    async with connected(mode, tmp_path) as unable:
        if mode == "auto":
            with pytest.raises(MCPError) as caught:
                await unable.call_tool("test_missing_capability")
            assert caught.value.code == -32021
            assert "sampling" in caught.value.data["requiredCapabilities"]
        else:
            assert (await unable.call_tool("test_missing_capability")).is_error


async def test_progress_and_messages_come_while_a_tool_works(client: Client, mode: str, person: Person) -> None:
    reports: list[tuple[float, float | None]] = []

    async def report(progress: float, total: float | None, _message: str | None) -> None:
        reports.append((progress, total))

    if mode == "legacy":
        await client.session.send_request(SetLevelRequest(params=SetLevelRequestParams(level="info")), EmptyResult)
    person.said.clear()
    await client.call_tool("test_tool_with_progress", progress_callback=report)
    await client.call_tool("test_tool_with_logging")
    assert reports == [(0, 100), (50, 100), (100, 100)]
    assert person.said == ["Tool execution started", "Tool processing data", "Tool execution completed"]


async def test_a_call_that_is_given_up_leaves_the_server_at_work(client: Client) -> None:
    with anyio.move_on_after(0.2) as given_up:
        await client.call_tool("slow_compute", {"seconds": 60})
    assert given_up.cancelled_caught
    assert await texts(client, "greet", {"name": "World"}) == ["Hello, World!"]


async def test_changes_are_heard_of(client: Client, mode: str, person: Person) -> None:
    """By who listens, and in every session of an older revision."""
    if mode == "auto":
        async with client.listen(tools_list_changed=True) as stream:
            await client.call_tool("test_trigger_prompt_change")
            await client.call_tool("test_trigger_tool_change")
            with anyio.fail_after(PATIENCE):
                assert type(await anext(aiter(stream))).__name__ == "ToolsListChanged"
    else:
        subscribed = ("resources/subscribe", "resources/unsubscribe")
        for request, method in zip((SubscribeRequest, UnsubscribeRequest), subscribed, strict=True):
            params = {"uri": "test://watched-resource"}
            await client.session.send_request(request.model_validate({"method": method, "params": params}), EmptyResult)
        await client.call_tool("test_trigger_tool_change")
        with anyio.fail_after(PATIENCE):
            await person.changed.wait()
        assert person.changes == ["notifications/tools/list_changed"]


# Tasks: the official client does not know the extension, so that its messages are written by hand.


class Line:
    """A client that writes requests of 2026-07-28 with the tasks extension."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._number = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        able = {"elicitation": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}}
        params["_meta"] = {VERSION_KEY: MODERN, CAPABILITIES_KEY: able}
        body = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(body) + "\n")
        self._process.stdin.flush()
        return next(answer for line in self._process.stdout if (answer := json.loads(line)).get("id") == self._number)

    def task(self, name: str, **arguments: Any) -> str:
        """Start a task, and return its id."""
        result = self.ask("tools/call", name=name, arguments=arguments)["result"]
        assert result["resultType"] == "task", result
        return result["taskId"]

    def until(self, task: str, *states: str) -> dict[str, Any]:
        """Ask for a task until it is in one of these states."""
        while (result := self.ask("tasks/get", taskId=task)["result"])["status"] not in states:
            pass
        return result


@contextmanager
def speaking(folder: Path) -> Generator[Line]:
    env = {**os.environ, "TOOLWAY_STORE_URL": f"sqlite:///{folder / 'tasks.db'}"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(COMMAND, cwd=ROOT, env=env, encoding="utf-8", **pipes) as process:
        try:
            yield Line(process)
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


ENDS = ("completed", "failed", "cancelled")


def test_tasks_are_run_cancelled_and_asked_over_stdio(tmp_path: Path) -> None:
    with speaking(tmp_path) as line:
        done = line.until(line.task("slow_compute", seconds=0.1, label="work"), *ENDS)
        refused = line.until(line.task("failing_job"), *ENDS)
        broken = line.until(line.task("protocol_error_job"), *ENDS)
        stopped = line.task("slow_compute", seconds=60)
        line.ask("tasks/cancel", taskId=stopped)
        cancelled = line.until(stopped, *ENDS)
        unknown = line.ask("tasks/get", taskId="nobody")["error"]["code"]
    assert done["result"]["content"][0]["text"] == "work took 0.1 seconds"
    assert (refused["status"], refused["result"]["isError"]) == ("completed", True)
    assert (broken["status"], "result" in broken) == ("failed", False)
    assert (cancelled["status"], unknown) == ("cancelled", -32602)


def test_a_task_that_asks_waits_for_its_answers_over_stdio(tmp_path: Path) -> None:
    with speaking(tmp_path) as line:
        task = line.task("multi_input")
        waiting = line.until(task, "input_required", *ENDS)
        first, second = waiting["inputRequests"]
        for key, left in ((first, {second}), (second, set())):
            answer = {key: {"action": "accept", "content": {"name": key}}}
            assert line.ask("tasks/update", taskId=task, inputResponses=answer)["result"]["resultType"] == "complete"
            now = line.ask("tasks/get", taskId=task)["result"]
            assert set(now.get("inputRequests", {})) == left
        assert line.until(task, *ENDS)["status"] == "completed"
