"""An application with tools that take long, and a client that knows what tasks are."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import anyio
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from tests.protocol.waiting import Tracker
from tests.protocol.wire import CAPABILITIES_KEY, Peer
from tests.servers import PATIENCE
from toolway import Ask, Progress, Question, Settings, Toolway, agent_tool

EXTENSION = "io.modelcontextprotocol/tasks"
DECLARED = {"_meta": {CAPABILITIES_KEY: {"extensions": {EXTENSION: {}}}}}
ASKABLE = {"_meta": {CAPABILITIES_KEY: {"extensions": {EXTENSION: {}}, "elicitation": {}}}}
BEARER = HTTPBearer()
FINAL = {"completed", "failed", "cancelled"}


def make_tasking(settings: Settings | None = None) -> FastAPI:
    """Make a fresh application; its tracker stands in `app.state.tracker`."""
    app = FastAPI(title="Long jobs")
    tracker = app.state.tracker = Tracker()

    @app.post("/add")
    @agent_tool(name="add", task="optional")
    async def add(first: int, second: int) -> dict[str, int]:
        return {"sum": first + second}

    @app.post("/refuse")
    @agent_tool(name="refuse", task="required")
    async def refuse() -> None:
        raise HTTPException(409, "the shop is closed")

    @app.post("/hold")
    @agent_tool(name="hold", task="optional")
    async def hold(progress: Progress) -> str:
        await progress(1, 4, "one of the parts")
        tracker.note("began")
        try:
            await anyio.to_thread.run_sync(tracker.opened.wait, PATIENCE, abandon_on_cancel=True)
        except BaseException:
            tracker.note("stopped")
            raise
        return "held"

    @app.get("/nothing")
    @agent_tool(name="nothing", task="optional")
    async def nothing() -> dict[str, None]:
        return {"nothing": None}

    @app.get("/me")
    @agent_tool(name="me", task="optional")
    async def me(caller: Annotated[HTTPAuthorizationCredentials, Depends(BEARER)]) -> str:
        return caller.credentials

    add_questions(app, tracker)

    async def lines() -> AsyncIterator[str]:
        for number in range(3):
            with anyio.move_on_after(0.3):  # longer than a stream may take within a request, all in all
                await anyio.Event().wait()
            yield f"line {number}\n"

    @app.get("/tail", response_class=StreamingResponse)
    @agent_tool(name="tail", task="optional")
    async def tail() -> StreamingResponse:
        return StreamingResponse(lines(), media_type="text/plain")

    Toolway(app, settings=settings).mount()
    return app


class Name(BaseModel):
    name: str


def add_questions(app: FastAPI, tracker: Tracker) -> None:
    @app.post("/both")
    @agent_tool(name="both", task="optional")
    async def both(ask: Ask) -> str:
        answers = await ask.all(first=Question("Your name?", Name), second=Question("Her name?", Name))
        third = await ask("And his?", Name, key="third")
        tracker.note("both")
        return f"{answers['first'].name}, {answers['second'].name} and {third.name}"

    @app.post("/order")
    @agent_tool(name="order", task="required", ask_first=True)
    async def order(ask: Ask) -> str:
        return f"for {(await ask('For whom?', Name, key='whom')).name}"

    @app.post("/sweep")
    @agent_tool(name="sweep", task="optional", confirm="Sweep {room}?")
    async def sweep(room: str) -> str:
        tracker.note("swept")
        return f"{room} is clean"


class Client:
    """Speaks of tasks to one server, as one caller."""

    def __init__(self, url: str, token: str | None = None, **headers: str) -> None:
        self.peer = Peer(f"{url}/mcp")
        self._headers = {**headers, **({"authorization": f"Bearer {token}"} if token else {})}

    def start(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool with the extension declared."""
        params = {"name": tool, "arguments": arguments, **DECLARED}
        return self.peer.ask("tools/call", params, headers=self._headers)

    def get(self, task: str) -> dict[str, Any]:
        return self.peer.ask("tasks/get", {"taskId": task, **DECLARED}, headers=self._with(task))

    def ask(self, tool: str, arguments: dict[str, Any], **params: Any) -> dict[str, Any]:
        """Call a tool as a client whose user can be asked."""
        return self.peer.ask("tools/call", {"name": tool, "arguments": arguments, **params, **ASKABLE})

    def answer(self, task: str, **answers: Any) -> None:
        """Answer some of a task's questions, each with a form."""
        responses = {key: {"action": "accept", "content": content} for key, content in answers.items()}
        params = {"taskId": task, "inputResponses": responses, **ASKABLE}
        acknowledged = self.peer.ask("tasks/update", params, headers=self._with(task))
        assert acknowledged.keys() == {"resultType", "_meta"}

    def cancel(self, task: str) -> dict[str, Any]:
        return self.peer.ask("tasks/cancel", {"taskId": task, **DECLARED}, headers=self._with(task))

    def refusal(self, method: str, task: str, **params: Any) -> dict[str, Any]:
        return self.peer.refusal(method, {"taskId": task, **params, **DECLARED}, headers=self._with(task))

    def wait(self, task: str, until: Callable[[dict[str, Any]], bool] | None = None) -> dict[str, Any]:
        """Ask for a task until it is final, or until something holds of it."""
        pause = threading.Event()
        for _ in range(PATIENCE * 20):
            state = self.get(task)
            if (until or _is_final)(state):
                return state
            pause.wait(0.05)
        raise AssertionError(f"{task} is still {state}")

    def _with(self, task: str) -> dict[str, str]:
        return {"mcp-name": task, **self._headers}


def _is_final(state: dict[str, Any]) -> bool:
    return state["status"] in FINAL
