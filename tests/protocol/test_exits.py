"""An endpoint that raises SystemExit, KeyboardInterrupt or CancelledError fails its own call, and nothing else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI

from tests.protocol.speaker import HELLO, Speaker
from tests.protocol.tasking import Client
from tests.protocol.wire import ERAS, MODERN, Peer
from tests.servers import serving
from toolway import Ask, Settings, Toolway, agent_tool

TOOLS = ("leave", "leave_in_thread", "interrupt", "await_canceled", "need_leaver")
VARIANTS: dict[str, dict[str, bool]] = {
    "fast lane": {},
    "without the direct path": {"direct": False},
    "without the fast lane": {"fast_lane": False},
    "stateful": {"stateful": True},
}


async def leaver() -> str:
    sys.exit(1)


def make_leaving() -> FastAPI:
    app = FastAPI(title="Leaving")

    @app.get("/leave", operation_id="leave")
    async def leave() -> str:
        sys.exit("no more")

    @app.get("/leave-in-thread", operation_id="leave_in_thread")
    def leave_in_thread() -> str:
        sys.exit(2)

    @app.get("/interrupt", operation_id="interrupt")
    async def interrupt() -> str:
        raise KeyboardInterrupt

    @app.get("/await-canceled", operation_id="await_canceled")
    async def await_canceled() -> str:
        other = asyncio.create_task(asyncio.Event().wait())
        other.cancel()
        await other
        return "never"

    @app.get("/need-leaver", operation_id="need_leaver")
    async def need_leaver(name: Annotated[str, Depends(leaver)]) -> str:
        return name

    @app.post("/leave-later", operation_id="leave_later")
    async def answer_first(tasks: BackgroundTasks) -> str:
        tasks.add_task(leaver)
        return "answered"

    @app.post("/ask-and-leave", operation_id="ask_and_leave")
    async def ask_and_leave(ask: Ask) -> str:  # which only the SDK's server calls
        sys.exit(1)

    @app.get("/stay", operation_id="stay")
    async def stay() -> str:
        return "here"

    return app


def make_leaving_tasks(settings: Settings) -> FastAPI:
    app = FastAPI(title="Leaving tasks")

    @app.post("/leave")
    @agent_tool(name="leave", task="required")
    async def leave() -> str:
        sys.exit(1)

    @app.post("/await-canceled")
    @agent_tool(name="await_canceled", task="required")
    async def await_canceled() -> str:
        raise asyncio.CancelledError

    @app.post("/cancel-itself")
    @agent_tool(name="cancel_itself", task="required")
    async def cancel_itself() -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.Event().wait()
        return "never"

    Toolway(app, settings=settings).mount()
    return app


@pytest.fixture(scope="module", params=VARIANTS.values(), ids=list(VARIANTS))
def variant(request: pytest.FixtureRequest) -> Iterator[tuple[str, bool]]:
    settings = Settings(**request.param)
    app = Toolway(make_leaving(), settings=settings).mount().app
    with serving(app) as url:
        yield f"{url}/mcp", settings.stateful


def open_peer(variant: tuple[str, bool], version: str) -> tuple[Peer, dict[str, str]]:
    """Return a peer, and the headers of its session where there is one."""
    url, is_stateful = variant
    peer = Peer(url, version)
    if not is_stateful or version >= MODERN:
        return peer, {}
    opened = peer.send("initialize", {**HELLO, "protocolVersion": version})
    return peer, {"mcp-session-id": opened.headers["mcp-session-id"]}


def assert_hidden(result: dict[str, Any]) -> None:
    """Require a failure with a reference id, and nothing of what happened inside."""
    assert result["isError"] is True
    assert "Reference: " in result["content"][0]["text"]
    assert "no more" not in result["content"][0]["text"]


@pytest.mark.parametrize("tool", [*TOOLS, "ask_and_leave"])
@pytest.mark.parametrize("version", ERAS)
def test_it_is_an_error_with_a_reference_id(variant: tuple[str, bool], version: str, tool: str) -> None:
    peer, session = open_peer(variant, version)
    assert_hidden(peer.call(tool, headers=session))
    assert peer.call("stay", headers=session, number=2)["content"][0]["text"] == '"here"'


@pytest.mark.parametrize("version", ERAS)
def test_an_answer_stands_when_its_background_task_raises_it(variant: tuple[str, bool], version: str) -> None:
    peer, session = open_peer(variant, version)
    assert peer.call("leave_later", headers=session)["content"][0]["text"] == '"answered"'
    assert peer.call("stay", headers=session, number=2)["content"][0]["text"] == '"here"'


@pytest.mark.parametrize("version", ERAS)
def test_a_stdio_server_goes_on(version: str) -> None:
    with Speaker(make_leaving, version) as speaker:
        for tool in (*TOOLS, "ask_and_leave"):
            assert_hidden(speaker.ask("tools/call", {"name": tool})["result"])
        assert speaker.ask("tools/call", {"name": "stay"})["result"]["content"][0]["text"] == '"here"'
        speaker.stop()


@pytest.mark.parametrize("tool", ["leave", "await_canceled", "cancel_itself"])
def test_a_task_has_failed(tmp_path: Path, tool: str) -> None:
    with serving(make_leaving_tasks(Settings(store_url=f"sqlite:///{tmp_path}/tasks.db"))) as url:
        client = Client(url)
        ended = client.wait(client.start(tool)["taskId"])
    assert ended["status"] == "failed"
    assert "Reference: " in ended["error"]["message"]
