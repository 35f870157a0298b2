"""Tasks of a server that the client starts with ``toolway stdio``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.protocol.speaker import Speaker
from tests.protocol.tasking import DECLARED, FINAL
from tests.protocol.wire import MODERN
from tests.support import ROOT
from tests.tasks.serving import Ledger, wait_for_stuck

STDIO = (sys.executable, "-m", "toolway", "stdio")
TASKING = (*STDIO, "tests.protocol.tasking:make_tasking()")
LEDGER = (*STDIO, "tests.tasks.ledger:app")


class Client2026:
    """A client of the tasks extension over stdio."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    def start(self, tool: str, **arguments: Any) -> str:
        result = self.speaker.ask("tools/call", {"name": tool, "arguments": arguments, **DECLARED})["result"]
        assert result["resultType"] == "task", result
        return result["taskId"]

    def get(self, task: str) -> dict[str, Any]:
        return self.speaker.ask("tasks/get", {"taskId": task, **DECLARED})["result"]

    def states(self, task: str) -> Generator[dict[str, Any]]:
        """Subscribe to a task, and yield its states until it has ended."""
        self.speaker.say("subscriptions/listen", {"notifications": {"taskIds": [task]}, **DECLARED})
        assert self.speaker.hear()["params"]["notifications"] == {"taskIds": [task]}
        while True:
            notification = self.speaker.hear()
            assert notification["method"] == "notifications/tasks"
            yield notification["params"]
            if notification["params"]["status"] in FINAL:
                return


@contextmanager
def speaking(folder: Path, command: tuple[str, ...] = TASKING, **env: str) -> Generator[Client2026]:
    with Speaker(command, MODERN, TOOLWAY_STORE_URL=f"sqlite:///{folder}/tasks.db", **env) as speaker:
        yield Client2026(speaker)


@asynccontextmanager
async def connected(folder: Path, mode: str) -> AsyncGenerator[Client]:
    """Connect the official client, which does not know the extension."""
    env = {"TOOLWAY_STORE_URL": f"sqlite:///{folder}/tasks.db"}
    server = StdioServerParameters(command=TASKING[0], args=list(TASKING[1:]), cwd=ROOT, env=env)
    async with Client(stdio_client(server, errlog=cast("Any", subprocess.DEVNULL)), mode=mode) as client:
        yield client


def test_a_client_with_the_extension_starts_a_task_and_is_notified_of_its_end(tmp_path: Path) -> None:
    with speaking(tmp_path) as client:
        task = client.start("add", first=2, second=3)
        *_, last = client.states(task)
        ended = client.get(task)
        client.speaker.stop()
    assert last["result"] == ended["result"]
    assert ended["result"]["structuredContent"] == {"sum": 5}


def test_a_client_with_the_extension_cancels_a_task(tmp_path: Path) -> None:
    with speaking(tmp_path) as client:
        task = client.start("hold")
        states = client.states(task)
        assert next(states)["status"] == "working"
        client.speaker.say("tasks/cancel", {"taskId": task, **DECLARED})
        assert client.speaker.hear().keys() == {"jsonrpc", "id", "result"}
        *_, last = states
    assert last["status"] == "cancelled"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_without_the_extension_waits_for_the_result(tmp_path: Path, mode: str) -> None:
    async with connected(tmp_path, mode) as client:
        assert (await client.call_tool("add", {"first": 2, "second": 3})).structured_content == {"sum": 5}


async def test_a_client_without_the_extension_gets_an_error_that_names_it(tmp_path: Path) -> None:
    async with connected(tmp_path, "auto") as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("refuse")
        assert caught.value.error.code == -32021
        assert "io.modelcontextprotocol/tasks" in str(caught.value.error.data)


async def test_before_the_extension_a_task_is_a_plain_call(tmp_path: Path) -> None:
    async with connected(tmp_path, "legacy") as client:
        result = await client.call_tool("refuse")
    assert result.is_error
    assert "the shop is closed" in str(result.content)


def test_the_next_server_completes_the_task_of_a_killed_server(tmp_path: Path, ledger: Ledger) -> None:
    with speaking(tmp_path, LEDGER, LEDGER=str(ledger.path), STUCK="1") as client:
        task = client.start("settle", number=7)
        wait_for_stuck(ledger, 1)
    with speaking(tmp_path, LEDGER, LEDGER=str(ledger.path)) as client:
        *_, last = client.states(task)
    assert last["result"]["structuredContent"] == {"square": 49}
