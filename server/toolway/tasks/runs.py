"""The tasks that run in this process, and their results."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from anyio.to_thread import run_sync

from toolway.elicitation import DecryptionError, Seal
from toolway.tasks.queue import StoppedError
from toolway.tasks.resume import ResumeCodec
from toolway.tasks.store import CanRun, Store, StoreUnavailableError
from toolway.tasks.task import Claim, RunCall, RunResult, TaskState

__all__ = ["UNAVAILABLE", "TaskRuns", "wait_for_all"]

logger = logging.getLogger("toolway.tasks")

UNAVAILABLE = "The task store is unavailable; retrying."
"""The message to log when the store, or the database of the queue, does not respond."""
_RETRY_SECONDS = 1.0

T = TypeVar("T")


@dataclass(slots=True)
class _Run:
    task: asyncio.Task[RunResult]
    repeatable: bool
    message: str | None = None
    """The progress that has not been stored yet."""
    is_stopped: bool = False


class TaskRuns:
    """Claims tasks for a worker, runs them in the event loop, and stores their results.

    Args:
        store: the tasks.
        seal: decrypts them.
        run_call: runs the tool of a task.
        can_run: returns whether this process has a tool, by its name.
        worker: the id of the worker.
        limit: how many tasks may run at the same time.
    """

    def __init__(self, store: Store, seal: Seal, run_call: RunCall, can_run: CanRun, worker: str, limit: int) -> None:
        self._store = store
        self._seal = seal
        self._codec = ResumeCodec(seal)
        self._run_call = run_call
        self._can_run = can_run
        self._worker = worker
        self._limit = limit
        self._slots = asyncio.Semaphore(limit)
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._active: dict[str, _Run] = {}
        self.handlers: set[asyncio.Task[None]] = set()
        """The asyncio tasks that claim, run and finish tasks."""

    @property
    def free_slots(self) -> int:
        """How many further tasks can run at once."""
        return self._limit - len(self.handlers)

    async def pause(self, seconds: float) -> bool:
        """Wait for some seconds, or until the worker stops; return whether it stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    def start(self, task_id: str, round_number: int) -> None:
        """Run a task in the background, as soon as there is a slot."""
        self.handlers.add(asyncio.create_task(self._handle(task_id, round_number)))

    def run_blocking(self, task_id: str, round_number: int) -> None:
        """Run a task in the event loop, and wait for it; for threads of the queue.

        Raises:
            StoppedError: the task was left unfinished.
        """
        if self._stopping.is_set():
            raise StoppedError
        try:
            asyncio.run_coroutine_threadsafe(self._handle(task_id, round_number), self._loop).result()
        except Exception as error:  # the store is unavailable, or the event loop is closed
            raise StoppedError from error

    async def _handle(self, task_id: str, round_number: int) -> None:
        handler = asyncio.current_task()
        assert handler is not None  # noqa: S101 - a coroutine runs in a task
        self.handlers.add(handler)
        try:
            async with self._slots:
                await self._run(task_id, round_number)
        finally:
            self.handlers.discard(handler)

    async def _run(self, task_id: str, round_number: int) -> None:
        if self._stopping.is_set():
            raise asyncio.CancelledError
        claim = await self._retry_until_available(
            partial(self._store.claim, task_id, round_number, self._worker, self._can_run)
        )
        if claim is None:
            return
        run = self._active[task_id] = _Run(asyncio.create_task(self._call_tool(claim)), claim.repeatable)
        try:
            await asyncio.wait({run.task})
        finally:
            del self._active[task_id]
        if run.task.cancelled() and run.is_stopped:
            if self._stopping.is_set():
                await run_sync(self._store.interrupt, task_id, self._worker)
                raise asyncio.CancelledError
            return
        result, resume_state = self._codec.encode(task_id, round_number, _result_of(run.task, claim))
        await self._retry_until_available(partial(self._store.finish, task_id, self._worker, result, resume_state))

    async def _retry_until_available(self, change: Callable[[], T]) -> T:
        """Make a change in the store, however long it is unavailable: a task would be lost without it."""
        while True:
            try:
                return await run_sync(change)
            except StoreUnavailableError:
                logger.warning(UNAVAILABLE, exc_info=True)
            if await self.pause(_RETRY_SECONDS):
                raise asyncio.CancelledError

    async def _call_tool(self, claim: Claim) -> RunResult:
        try:
            call = self._seal.decrypt(claim.call, claim.id)
            resume_state = self._codec.decode(claim.id, claim.resume_state)
        except DecryptionError:
            message = "This task was encrypted with a key this server does not have."
            return RunResult(TaskState.FAILED, message=message)
        return await self._run_call(claim.tool, call, resume_state, partial(self._note_progress, claim.id))

    def _note_progress(self, task_id: str, message: str) -> None:
        if task_id in self._active:
            self._active[task_id].message = message

    async def synchronize(self) -> None:
        """Store the progress of all runs, and stop those whose task was canceled, has expired, or was taken away."""
        for task_id, run in list(self._active.items()):
            if run.message is not None:
                message, run.message = run.message, None
                await run_sync(self._store.set_message, task_id, self._worker, message)
        active = list(self._active)
        held = await run_sync(self._store.filter_held, self._worker, active) if active else set[str]()
        for task_id in active:
            if task_id not in held:
                self.stop(task_id)

    def stop(self, task_id: str) -> None:
        """Stop a run, if the task runs here."""
        if task_id in self._active:
            self._active[task_id].is_stopped = True
            self._active[task_id].task.cancel()

    async def stop_all(self, grace_seconds: float) -> None:
        """Stop all runs: those that other workers can repeat at once, and the rest after a grace period."""
        self._stopping.set()
        for task_id, run in list(self._active.items()):
            if run.repeatable:
                self.stop(task_id)
        await wait_for_all({run.task for run in self._active.values()}, grace_seconds)
        for task_id in list(self._active):
            self.stop(task_id)


async def wait_for_all(tasks: Collection[asyncio.Task[Any]], seconds: float | None = None) -> None:
    """Wait until all tasks are done, or some seconds have passed."""
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


def _result_of(task: asyncio.Task[RunResult], claim: Claim) -> RunResult:
    """Return the result of a run; an exception, or a cancellation by the endpoint itself, is a failure."""
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is None:
        return task.result()
    reference = secrets.token_hex(6)
    logger.error("Task of tool %r failed, reference %s", claim.tool, reference, exc_info=error)
    return RunResult(TaskState.FAILED, message=f"Internal error. Reference: {reference}")
