"""An application whose endpoints wait, stream and go on after their answer, and which keeps count of it."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import anyio
import psutil
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from fastapi.responses import StreamingResponse

from tests.servers import PATIENCE
from toolway import Settings, Toolway
from toolway.app import engine_of
from toolway.mounts import toolway_of


class Tracker:
    """Counts what happens in endpoints, and lets others wait for it, in any thread."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.opened = threading.Event()
        self._changed = threading.Condition()

    def note(self, what: str) -> None:
        with self._changed:
            self.counts[what] += 1
            self._changed.notify_all()

    def wait(self, what: str, times: int = 1) -> None:
        with self._changed:
            happened = self._changed.wait_for(lambda: self.counts[what] >= times, PATIENCE)
        assert happened, f"{what!r} came {self.counts[what]} times and not {times}: {dict(self.counts)}"


def make_waiting(**options: Any) -> FastAPI:
    """Make a fresh application without MCP; its tracker stands in `app.state.tracker`."""
    app = FastAPI(**options)
    tracker = app.state.tracker = Tracker()
    add_waits(app, tracker)
    add_streams(app, tracker)
    add_reports(app, tracker)
    return app


def make_waiting_server(settings: Settings | None = None, **options: Any) -> FastAPI:
    app = make_waiting(**options)
    Toolway(app, settings=settings).mount()
    return app


def add_waits(app: FastAPI, tracker: Tracker) -> None:
    async def resource() -> AsyncIterator[None]:
        with tempfile.TemporaryFile():
            try:
                yield
            finally:
                for _ in range(3):  # a clean-up may await
                    await anyio.lowlevel.checkpoint()
                tracker.note("cleaned")

    def plain_resource() -> Iterator[None]:
        with tempfile.TemporaryFile() as file:
            try:
                yield
            finally:
                file.write(b"still open")
                tracker.note("cleaned in a thread")

    @app.get("/wait", operation_id="wait", dependencies=[Depends(resource), Depends(plain_resource)])
    async def wait() -> str:
        with anyio.move_on_after(0):  # time-outs of its own, and failures of what it awaits, are no end to it
            await anyio.Event().wait()
        with suppress(ValueError):
            await anyio.to_thread.run_sync(int, "x")
        tracker.note("began")
        try:
            await anyio.Event().wait()
        finally:
            tracker.note("ended")
        return "never"

    @app.get("/wait_in_a_thread", operation_id="wait_in_a_thread", dependencies=[Depends(plain_resource)])
    def wait_in_a_thread() -> str:
        tracker.note("began")
        assert tracker.opened.wait(PATIENCE)
        tracker.note("cleaned too early") if tracker.counts["cleaned in a thread"] else tracker.note("ended")
        return "done"

    @app.get("/later", operation_id="answer_first")
    async def answer_first(tasks: BackgroundTasks) -> str:
        tasks.add_task(later)
        return "answered"

    async def later() -> None:
        tracker.note("began")
        await anyio.to_thread.run_sync(tracker.opened.wait, PATIENCE)
        tracker.note("ended")


def add_streams(app: FastAPI, tracker: Tracker) -> None:
    async def endless(chunk: str) -> AsyncIterator[str]:
        try:
            yield chunk
            while True:
                tracker.note("beat")
                await anyio.Event().wait() if tracker.counts["beat"] >= 3 else None
                yield chunk
        finally:
            tracker.note("closed")

    @app.get("/events", operation_id="follow_events", response_class=StreamingResponse)
    async def follow_events() -> StreamingResponse:
        return StreamingResponse(endless("data: tick\n\n"), media_type="text/event-stream")

    @app.get("/lines", operation_id="follow_lines", response_class=StreamingResponse)
    async def follow_lines() -> StreamingResponse:
        return StreamingResponse(endless('{"tick": 1}\n'), media_type="application/x-ndjson")

    @app.get("/bytes", operation_id="follow_bytes", response_class=StreamingResponse)
    async def follow_bytes() -> StreamingResponse:
        return StreamingResponse(endless("\x00\x01"), media_type="application/octet-stream")

    @app.get("/steps", operation_id="go_in_steps", response_class=StreamingResponse)
    async def go_in_steps() -> StreamingResponse:
        return StreamingResponse(steps(), media_type="text/event-stream")

    def steps() -> Iterator[str]:
        yield "data: one\n\n"
        yield "data: two\n\n"
        tracker.note("half")
        assert tracker.opened.wait(PATIENCE)
        yield "data: three\n\n"


def add_reports(app: FastAPI, tracker: Tracker) -> None:
    @app.get("/observe", operation_id="observe")
    def observe(what: str, times: int = 1) -> dict[str, int]:
        """Wait until something has happened that often."""
        tracker.wait(what, times)
        return dict(tracker.counts)

    @app.get("/open", operation_id="open_gate")
    def open_gate() -> None:
        tracker.opened.set()

    @app.get("/left", operation_id="left")
    async def left(request: Request) -> dict[str, Any]:
        """What is there: once work has ended, nothing of it."""
        process = psutil.Process()
        running = engine_of(toolway_of(request.app)).running.calls._running
        return {
            "tasks": len(asyncio.all_tasks()),
            "descriptors": process.num_fds(),
            "files": sorted(file.path for file in process.open_files()),
            "threads": sorted(one.name for one in threading.enumerate() if not one.name.startswith("AnyIO worker")),
            "calls": len(running),
        }
