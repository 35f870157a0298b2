"""A worker: starts jobs, runs those that the queue hands to it, and looks after them."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias, TypeVar

import anyio
from anyio.to_thread import run_sync
from sqlalchemy.exc import SQLAlchemyError

from toolway.elicitation import BrokenSealError, Seal
from toolway.errors import ToolwayError
from toolway.tasks.dbos_queue import JobQueue, QueueBusyError, StoppedError
from toolway.tasks.model import Job, JobState, ResumeState, RunResult, TaskRequest
from toolway.tasks.resume import ResumeCodec
from toolway.tasks.sql_store import CanRun, Claim, JobStore, now
from toolway.tasks.watchers import Watches

__all__ = ["Jobs", "Perform", "TooManyJobsError", "Who"]

logger = logging.getLogger("toolway.tasks")

Tell: TypeAlias = Callable[[str], None]
"""Says how far a job is, in words."""

Perform: TypeAlias = Callable[[str, bytes, ResumeState | None, Tell], Awaitable[RunResult]]
"""Runs the call of a tool; stops when it is cancelled."""

Who: TypeAlias = Callable[[Job], bytes]
"""Returns the credentials of a request, as far as they count for the caller of a job."""

_LOOK_SECONDS = 0.5
"""How soon a worker hears that a job of its own was cancelled elsewhere, and tells how far its jobs are."""
_RESCUE_EVERY = 4
_MOST_MISSED = 3
"""A worker that is missing so many times in a row is dead; one that has lost its connection is back before that."""
_SWEEP_EVERY = 10
_LOST_MS = 2_000
"""A job without a worker after that time may be in no queue any more, as the worker that had it died or could not run
it. Any worker that can run it takes it then."""
_RETRY_SECONDS = 1.0
_DELETED = "The task store was deleted while the server was running. It was created again; earlier tasks are lost"
_CLOSE_SECONDS = 1.0
"""How long a shutdown waits for the store; DBOS retries without end while it does not answer."""

T = TypeVar("T")


class TooManyJobsError(ToolwayError):
    """A caller has as many unfinished jobs as one may have."""


@dataclass(slots=True)
class _Run:
    """A job that runs here."""

    task: asyncio.Task[RunResult]
    repeatable: bool
    message: str | None = None
    """What is to be told of its progress."""
    is_stopped: bool = False


class Jobs:
    """The jobs of one service, as one process sees them.

    Args:
        store: where they are kept.
        seal: seals what is needed to run them.
        perform: runs one.
        can_run: returns whether this process has a tool, by its name; by default it has all of them.
        seconds: how long a job is kept, from its start.
        at_once: how many run in this process at the same time.
        per_caller: how many unfinished ones a caller may have.
        shutdown_seconds: how long they may take to finish once the server is shutting down.
    """

    def __init__(
        self,
        store: JobStore,
        seal: Seal,
        perform: Perform,
        *,
        can_run: CanRun = lambda _: True,
        seconds: float,
        at_once: int,
        per_caller: int,
        shutdown_seconds: float = 10,
    ) -> None:
        self._store = store
        self._seal = seal
        self._perform = perform
        self._recall = ResumeCodec(seal)
        self._milliseconds = int(seconds * 1000)
        self._per_caller = per_caller
        self._shutdown_seconds = shutdown_seconds
        self._worker = secrets.token_hex(16)
        self._presence = store.presence()
        self._queue = JobQueue(store.url, store.service, store.title, self._worker, at_once, self._run_apart)
        self._can_run = can_run
        self._at_once = at_once
        self._slots = asyncio.Semaphore(at_once)
        self._loop = asyncio.get_running_loop()
        self._waking = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._runs: dict[str, _Run] = {}
        self._handling: set[asyncio.Task[None]] = set()
        """The tasks in which jobs are claimed, run, and finished."""
        self._watches = Watches()
        self.has_lost_tasks = False
        """Whether the store was deleted while it was in use."""
        self._notice: str | None = None
        self._missed: dict[str, int] = {}

    async def start(
        self, tool: str, caller: bytes, call: bytes, *, repeatable: bool, identity: str | None = None
    ) -> Job:
        """Accept a job: when this returns it is kept, whatever happens to this process.

        Args:
            tool: what is called.
            caller: the caller's credentials; only their fingerprint is kept.
            call: what is needed to run it.
            repeatable: whether it may run again after an end that nobody saw.
            identity: which parts of a request `caller` was made of.

        Raises:
            TooManyJobsError: the caller has as many unfinished jobs as one may have.
            QueueBusyError: this process keeps the jobs of another service.
        """
        await self._renew_store()
        fingerprint = self._seal.fingerprint(caller)
        if await run_sync(self._store.unfinished, fingerprint) >= self._per_caller:
            raise TooManyJobsError(f"{self._per_caller} tasks have not ended yet; wait for one to end, or cancel one")
        await self._ensure_started()
        number = secrets.token_urlsafe(24)
        order = TaskRequest(tool, fingerprint, self._seal.close(call, number), repeatable, identity)
        notice, self._notice = self._notice, None
        job = await run_sync(self._store.add, number, order, self._milliseconds, notice)
        await run_sync(self._queue.put, number, 0)
        return job

    async def get(self, number: str, who: Who) -> Job | None:
        """Return a job of this caller; None for any other, and where there is none."""
        await self._renew_store()
        job = await run_sync(self._store.get, number)
        if job is None or not self._seal.fits(job.caller, who(job)):
            return None
        if job.state is JobState.WORKING and not job.is_claimed and not self._can_run(job.tool):
            return replace(job, message=f"Waiting for a server that has the tool {job.tool!r}; this one lacks it.")
        return job

    async def cancel(self, job: Job) -> None:
        """Stop a job wherever it runs; one that has come to its end stays as it is."""
        if await run_sync(self._store.cancel, job.id):
            self._stop(job.id)

    async def answer(self, job: Job, given: Mapping[str, Any]) -> None:
        """Take answers to a job's open questions; when there is one to each, it goes on."""
        turn = await run_sync(self._store.answer, job.id, given, partial(self._recall.merged, job.id))
        if turn is not None:
            with suppress(QueueBusyError):  # another process takes it up
                await self._ensure_started()
                await run_sync(self._queue.put, job.id, turn)

    def watching(self, numbers: Collection[str], tell: Callable[[str], None]) -> AbstractContextManager[None]:
        """Tell of some jobs, by number: soon for the first time, and after that whenever they have changed."""
        return self._watches.watching(numbers, tell)

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[Jobs]:
        """Run jobs until the context ends; those that run then get a moment to come to their end."""
        await self._warn_of_others()
        tasks = [asyncio.create_task(self._supervise()), asyncio.create_task(self._stay_present())]
        try:
            yield self
        finally:
            await self._end_runs()
            await self._close(tasks)

    async def _warn_of_others(self) -> None:
        with suppress(SQLAlchemyError):
            for title in await run_sync(self._store.titles):
                logger.warning(
                    "the task store has tasks of %r, which this application continues; if that is another application, "
                    "set TOOLWAY_TASK_QUEUE to a name of its own",
                    title,
                )

    async def _renew_store(self) -> None:
        """Create the store again if it was deleted, and let the next task say so."""
        if self._store.file is None or not await run_sync(lambda: self._store.is_deleted):
            return
        async with self._waking:
            if not await run_sync(self._store.renew):
                return
            logger.error("%s: %s", _DELETED, self._store.file)
            self.has_lost_tasks, self._notice = True, _DELETED
            if self._queue.is_up:
                await run_sync(self._queue.stop)
                await run_sync(self._queue.start)

    async def _ensure_started(self) -> None:
        """Join the workers once there is work: as long as nobody asks for long jobs, this costs no threads."""
        async with self._waking:
            if not self._queue.is_up:
                await run_sync(self._presence.enter, self._worker)
                await run_sync(self._queue.start)

    # Running

    def _run_apart(self, number: str, turn: int) -> None:
        """Run a job in the event loop, where the application is at home; called in a thread of the queue."""
        if self._stopping.is_set():
            raise StoppedError
        try:
            asyncio.run_coroutine_threadsafe(self._handle(number, turn), self._loop).result()
        except Exception as error:  # the store is unavailable, or the event loop is closed
            raise StoppedError from error

    async def _handle(self, number: str, turn: int) -> None:
        """Run a job as soon as there is a slot for it, unless another worker has it by then."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._handling.add(task)
        try:
            async with self._slots:
                await self._run(number, turn)
        finally:
            self._handling.discard(task)

    async def _run(self, number: str, turn: int) -> None:
        if self._stopping.is_set():
            raise asyncio.CancelledError
        claim = await self._retry_until_available(partial(self._store.claim, number, turn, self._worker, self._can_run))
        if claim is None:
            return
        run = self._runs[number] = _Run(asyncio.create_task(self._performed(claim)), claim.repeatable)
        try:
            await asyncio.wait({run.task})
        finally:
            del self._runs[number]
        if run.task.cancelled() and run.is_stopped:
            if self._stopping.is_set():
                await run_sync(self._store.interrupt, number, self._worker)
                raise asyncio.CancelledError
            return
        ending, memory = self._recall.kept(number, turn, _ending(run.task, claim))
        await self._retry_until_available(partial(self._store.finish, number, self._worker, ending, memory))

    async def _retry_until_available(self, change: Callable[[], T]) -> T:
        """Change something in the store, however long it does not answer; a job would be forgotten otherwise."""
        while True:
            try:
                return await run_sync(change)
            except SQLAlchemyError:
                logger.warning("the store for tasks does not answer; it is tried again", exc_info=True)
            if await self._paused(_RETRY_SECONDS):
                raise asyncio.CancelledError

    async def _performed(self, claim: Claim) -> RunResult:
        try:
            call = self._seal.open(claim.call, claim.id)
            memory = self._recall.opened(claim.id, claim.answers)
            return await self._perform(claim.tool, call, memory, lambda message: self._note(claim.id, message))
        except BrokenSealError:
            message = "The task was encrypted with a key that this server does not have"
            return RunResult(JobState.FAILED, message=message)

    def _note(self, number: str, message: str) -> None:
        if number in self._runs:
            self._runs[number].message = message

    def _stop(self, number: str) -> None:
        if number in self._runs:
            self._runs[number].is_stopped = True
            self._runs[number].task.cancel()

    # Looking after

    async def _supervise(self) -> None:
        for count in itertools.count():
            try:
                await self._look(count)
            except QueueBusyError:
                logger.debug("another service keeps its tasks in this process")
            except Exception:  # the store, and DBOS on it: both may be away for a while
                logger.warning("the store for tasks does not answer; it is tried again", exc_info=True)
            if await self._paused(_LOOK_SECONDS):
                return

    async def _stay_present(self) -> None:
        """Apart from all else, as that may take its time when the store has been away."""
        while not await self._paused(_LOOK_SECONDS):
            with suppress(SQLAlchemyError):  # it is tried again
                if self._queue.is_up:
                    await run_sync(self._presence.keep)

    async def _look(self, count: int) -> None:
        await self._renew_store()
        if count % _RESCUE_EVERY == 0:
            if not self._queue.is_up and await run_sync(self._store.has_work, self._can_run):
                await self._ensure_started()
            if self._queue.is_up:
                await self._rescue()
        if count % _SWEEP_EVERY == 0 and self._queue.is_up:
            await run_sync(self._sweep)
        if self._runs:
            await self._look_at_runs()
        if watched := self._watches.numbers():
            self._watches.compare(await run_sync(self._store.stamps, watched))

    async def _paused(self, seconds: float) -> bool:
        """Wait a while, and tell whether the worker has to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    async def _rescue(self) -> None:
        """Free what dead workers have left, and take up what waits without being in a queue."""
        await run_sync(self._free)
        free = self._at_once - len(self._handling)
        if free > 0:
            for job in await run_sync(self._store.waiting, now() - _LOST_MS, self._can_run, free):
                self._handling.add(asyncio.create_task(self._handle(*job)))

    def _free(self) -> None:
        others = self._store.holders() - {self._worker}
        self._missed = {
            worker: self._missed.get(worker, 0) + 1 for worker in others if not self._presence.lives(worker)
        }
        for worker, count in self._missed.items():
            if count >= _MOST_MISSED:
                self._store.release(worker)

    def _sweep(self) -> None:
        """Forget the jobs whose time is over."""
        expired = self._store.expired()
        self._queue.forget(expired)
        self._store.remove([number for number, _ in expired])

    async def _look_at_runs(self) -> None:
        for number, run in list(self._runs.items()):
            if run.message is not None:
                message, run.message = run.message, None
                await run_sync(self._store.note, number, self._worker, message)
        numbers = list(self._runs)
        held = await run_sync(self._store.held, self._worker, numbers)
        for number in numbers:
            if number not in held:
                self._stop(number)

    # Ending

    async def _end_runs(self) -> None:
        """Leave what others can run again to them, and give the rest a moment to come to its end."""
        self._stopping.set()
        for number, run in list(self._runs.items()):
            if run.repeatable:
                self._stop(number)
        await _done({run.task for run in self._runs.values()}, self._shutdown_seconds)
        for number in list(self._runs):
            self._stop(number)

    async def _close(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Stop working on the store, and close it; leave behind the threads that still wait for it."""
        with anyio.move_on_after(_CLOSE_SECONDS) as scope:
            await _done(self._handling)
            await run_sync(self._queue.stop, abandon_on_cancel=True)
            await asyncio.wait(tasks)
            await run_sync(self._presence.leave, abandon_on_cancel=True)
            await run_sync(self._store.close, abandon_on_cancel=True)
        if scope.cancelled_caught:
            logger.warning("the store for tasks does not answer: the shutdown does not wait for it")
            for task in (*tasks, *self._handling):
                task.cancel()
            await asyncio.wait(tasks)


async def _done(tasks: Collection[asyncio.Task[Any]], seconds: float | None = None) -> None:
    """Wait until tasks are done, or so many seconds have passed."""
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


def _ending(task: asyncio.Task[RunResult], claim: Claim) -> RunResult:
    """Return how a run ended; an exception, or a task that was canceled by its own code, is a failure."""
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is None:
        return task.result()
    reference = secrets.token_hex(6)
    logger.error("a job of %s failed, reference %s", claim.tool, reference, exc_info=error)
    return RunResult(JobState.FAILED, message=f"Internal error. Reference: {reference}")
