"""The worker of a process: it accepts tasks, runs them, and takes over those of dead workers."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import anyio
from anyio.to_thread import run_sync

from toolway.elicitation import Seal
from toolway.errors import ToolwayError
from toolway.tasks.queue import Queue, QueueBusyError
from toolway.tasks.resume import ResumeCodec
from toolway.tasks.runs import UNAVAILABLE, TaskRuns, wait_for_all
from toolway.tasks.store import CanRun, Store, StoreUnavailableError
from toolway.tasks.task import RunCall, Task, TaskRequest, TaskState
from toolway.tasks.watchers import TaskWatchers

__all__ = ["ReadCaller", "TaskLimits", "TaskWorker", "TooManyTasksError"]

logger = logging.getLogger("toolway.tasks")

ReadCaller: TypeAlias = Callable[[Task], bytes]
"""Returns those credentials of a request that identify the caller of a task."""

_SUPERVISE_SECONDS = 0.5
"""How often a worker checks whether its tasks were canceled elsewhere, and stores their progress."""
_RESCUE_EVERY = 4
_MAX_MISSED = 3
"""A worker missing in this many checks in a row is dead; one that has lost its connection is back earlier."""
_SWEEP_EVERY = 10
_LOST_MS = 2_000
"""A task without a worker for this long may be in no queue, as its worker died or could not run it. Any worker that can
run it then takes it."""
_DELETED = "The task store was deleted while the server was running. It was created again; earlier tasks are lost."
_CLOSE_SECONDS = 1.0
"""How long a shutdown waits for the store: DBOS retries without end while the database is unreachable."""


class TooManyTasksError(ToolwayError):
    """A caller has as many unfinished tasks as allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLimits:
    """Limits on the tasks of one application."""

    seconds: float
    """How long a task is kept after it was accepted."""
    at_once: int
    """How many tasks may run in this process at the same time."""
    per_caller: int
    """How many unfinished tasks a caller may have."""
    shutdown_seconds: float = 10
    """How long tasks may take to finish during a shutdown."""


class TaskWorker:
    """The tasks of one queue, and the worker that runs them in this process.

    Args:
        store: the tasks.
        queue: distributes them among the workers on the store.
        seal: encrypts them.
        run_call: runs the tool of a task.
        limits: how many tasks may run, and how long.
        can_run: returns whether this process has a tool, by its name; by default it has all tools.
    """

    def __init__(
        self,
        store: Store,
        queue: Queue,
        seal: Seal,
        run_call: RunCall,
        limits: TaskLimits,
        can_run: CanRun = lambda _: True,
    ) -> None:
        self._store = store
        self._queue = queue
        self._seal = seal
        self._codec = ResumeCodec(seal)
        self._limits = limits
        self._id = secrets.token_hex(16)
        self._liveness = store.open_liveness()
        self._can_run = can_run
        self._runs = TaskRuns(store, seal, run_call, can_run, self._id, limits.at_once)
        self._starting = asyncio.Lock()
        self._watchers = TaskWatchers()
        self.has_lost_tasks = False
        """Whether the store was deleted while it was in use."""
        self._notice: str | None = None
        """The message for the next task, about tasks that were lost."""
        self._missed: dict[str, int] = {}
        """How many checks in a row another worker was missing."""

    async def start(
        self, tool: str, caller: bytes, call: bytes, *, repeatable: bool, identity: str | None = None
    ) -> Task:
        """Accept a task. When this returns, the task is stored, and runs even if this process ends.

        Args:
            tool: the name of the tool.
            caller: the caller's credentials; only a fingerprint of them is stored.
            call: the encoded call.
            repeatable: whether it may run again after a run with an unknown outcome.
            identity: the parts of a request that `caller` consists of, as JSON.

        Raises:
            TooManyTasksError: the caller has as many unfinished tasks as allowed.
            QueueBusyError: this process cannot run tasks of this queue.
        """
        await self._recreate_store()
        fingerprint = self._seal.fingerprint(caller)
        if await run_sync(self._store.count_unfinished, fingerprint) >= self._limits.per_caller:
            raise TooManyTasksError(
                f"Too many unfinished tasks ({self._limits.per_caller}). Wait for one to finish, or cancel one."
            )
        await self._ensure_started()
        task_id = secrets.token_urlsafe(24)
        request = TaskRequest(tool, fingerprint, self._seal.encrypt(call, task_id), repeatable, identity)
        notice, self._notice = self._notice, None
        task = await run_sync(self._store.add, task_id, request, int(self._limits.seconds * 1000), notice)
        await run_sync(self._queue.put, task_id, 0)
        return task

    async def get(self, task_id: str, read_caller: ReadCaller) -> Task | None:
        """Return a task of this caller; None if it does not exist or belongs to another caller."""
        await self._recreate_store()
        task = await run_sync(self._store.get, task_id)
        if task is None or not self._seal.matches(task.caller, read_caller(task)):
            return None
        if task.state is TaskState.WORKING and not task.is_claimed and not self._can_run(task.tool):
            return replace(task, message=f"Waiting for a server that has the tool {task.tool!r}; this one lacks it.")
        return task

    async def cancel(self, task: Task) -> None:
        """Cancel a task, in this or another worker; a final state stays as it is."""
        if await run_sync(self._store.cancel, task.id):
            self._runs.stop(task.id)

    async def answer(self, task: Task, answers: Mapping[str, Any]) -> None:
        """Store answers to a task's open questions; when all are answered, the task resumes."""
        round_number = await run_sync(self._store.answer, task.id, answers, partial(self._codec.merge_answers, task.id))
        if round_number is not None:
            with suppress(QueueBusyError):  # another process runs it
                await self._ensure_started()
                await run_sync(self._queue.put, task.id, round_number)

    def watch(self, task_ids: Collection[str], notify: Callable[[str], None]) -> AbstractContextManager[None]:
        """Call `notify` with the id of each of these tasks: once soon, and after every change until it is final."""
        return self._watchers.watch(task_ids, notify)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[TaskWorker]:
        """Run tasks until the context ends; tasks that run then get some seconds to finish."""
        await self._warn_of_other_applications()
        loops = [asyncio.create_task(self._supervise()), asyncio.create_task(self._stay_alive())]
        try:
            yield self
        finally:
            await self._runs.stop_all(self._limits.shutdown_seconds)
            await self._close(loops)

    async def _warn_of_other_applications(self) -> None:
        with suppress(StoreUnavailableError):
            for title in await run_sync(self._store.list_other_titles):
                logger.warning(
                    "The task queue has tasks of %r, which this application will run. If that is another application, "
                    "set TOOLWAY_TASK_QUEUE to a name of its own.",
                    title,
                )

    async def _recreate_store(self) -> None:
        """Create the store again if it was deleted, and inform the caller of the next task."""
        if not await run_sync(lambda: self._store.is_deleted):
            return
        async with self._starting:
            if not await run_sync(self._store.recreate):
                return
            logger.error("%s: %s", self._store.location, _DELETED)
            self.has_lost_tasks, self._notice = True, _DELETED
            if self._queue.is_running:
                await run_sync(self._queue.stop)
                await run_sync(self._queue.start, self._id, self._runs.run_blocking)

    async def _ensure_started(self) -> None:
        """Start the queue once there is work: an application without tasks needs no threads for them."""
        async with self._starting:
            if not self._queue.is_running:
                await run_sync(self._liveness.acquire, self._id)
                await run_sync(self._queue.start, self._id, self._runs.run_blocking)

    async def _supervise(self) -> None:
        for count in itertools.count():
            try:
                await self._check(count)
            except QueueBusyError:
                logger.debug("This process runs the tasks of another queue.")
            except Exception:  # the store, or the queue's own database
                logger.warning(UNAVAILABLE, exc_info=True)
            if await self._runs.pause(_SUPERVISE_SECONDS):
                return

    async def _check(self, count: int) -> None:
        await self._recreate_store()
        if count % _RESCUE_EVERY == 0:
            if not self._queue.is_running and await run_sync(self._has_work):
                await self._ensure_started()
            if self._queue.is_running:
                await self._rescue()
        if count % _SWEEP_EVERY == 0 and self._queue.is_running:
            await run_sync(self._remove_expired)
        await self._runs.synchronize()
        if watched := self._watchers.list_ids():
            self._watchers.compare(await run_sync(self._store.read_versions, watched))

    async def _stay_alive(self) -> None:
        """Renew the lock, independently of all other work, which may block after an outage."""
        while not await self._runs.pause(_SUPERVISE_SECONDS):
            with suppress(StoreUnavailableError):
                if self._queue.is_running:
                    await run_sync(self._liveness.renew)

    def _has_work(self) -> bool:
        """Return whether there are tasks to run, to release or to remove."""
        store = self._store
        return bool(store.list_expired() or store.list_holders() or store.list_waiting(0, self._can_run, 1))

    async def _rescue(self) -> None:
        """Release the tasks of dead workers, and run tasks that wait without being in a queue."""
        await run_sync(self._release_tasks_of_dead)
        limit = self._runs.free_slots
        if limit > 0:
            for task in await run_sync(self._store.list_waiting, _LOST_MS, self._can_run, limit):
                self._runs.start(*task)

    def _release_tasks_of_dead(self) -> None:
        others = self._store.list_holders() - {self._id}
        self._missed = {
            worker: self._missed.get(worker, 0) + 1 for worker in others if not self._liveness.is_alive(worker)
        }
        for worker, count in self._missed.items():
            if count >= _MAX_MISSED:
                self._store.release(worker)

    def _remove_expired(self) -> None:
        expired = self._store.list_expired()
        self._queue.forget(expired)
        self._store.remove([task_id for task_id, _ in expired])

    async def _close(self, loops: Sequence[asyncio.Task[None]]) -> None:
        """Close the queue and the store; abandon the threads that still wait for the database."""
        with anyio.move_on_after(_CLOSE_SECONDS) as scope:
            await wait_for_all(self._runs.handlers)
            await run_sync(self._queue.stop, abandon_on_cancel=True)
            await asyncio.wait(loops)
            await run_sync(self._liveness.release, abandon_on_cancel=True)
            await run_sync(self._store.close, abandon_on_cancel=True)
        if scope.cancelled_caught:
            logger.warning("The task store is unavailable; shutting down without waiting for it.")
            for task in (*loops, *self._runs.handlers):
                task.cancel()
            await asyncio.wait(loops)
