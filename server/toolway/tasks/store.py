"""The interface between the worker and the storage of tasks.

Another storage is one module that implements `Store`, and its scheme in `open_worker`. It must promise:

- *Durability.* A change is stored when its method returns, even if the process ends right afterwards.
- *Atomic, conditional changes.* A method changes a task only if the task still has the state that the method requires.
  Several processes call the same methods: one worker claims a task, and a final state is never overwritten.
- *Isolation.* A store has the tasks of one queue. Tasks whose time is over are invisible.
- *Opaque values.* ``call``, ``resume_state`` and ``caller`` are stored as they are; the first two are encrypted.
- *Threads.* Methods block, and are called in several threads at a time.
- *Errors.* Methods raise `StoreUnavailableError` while the storage does not respond. The worker retries.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from toolway.tasks.task import Claim, RunResult, Task, TaskRequest, TaskVersion

__all__ = ["CanRun", "Liveness", "MergeAnswers", "Store", "StoreUnavailableError"]

CanRun: TypeAlias = Callable[[str], bool]
"""Returns whether this worker has a tool, given by its name."""

MergeAnswers: TypeAlias = Callable[[bytes, Mapping[str, Any]], bytes]
"""Adds answers to an encrypted resume state."""


class StoreUnavailableError(Exception):
    """The storage does not respond. The same call may succeed later."""


class Liveness(Protocol):
    """Locks that show which workers are alive. A worker's lock is released when its process ends, however it ends."""

    def acquire(self, worker: str) -> None:
        """Hold the lock of a worker from now on, if it is not held yet."""
        ...

    def renew(self) -> None:
        """Acquire the lock again if it was lost; called twice a second.

        Raises:
            StoreUnavailableError: the storage does not respond.
        """
        ...

    def is_alive(self, worker: str) -> bool:
        """Return whether another worker holds its lock."""
        ...

    def release(self) -> None:
        """Release the lock."""
        ...


class Store(Protocol):
    """The tasks of one queue. The module's documentation lists what an implementation must promise."""

    @property
    def location(self) -> str:
        """The path or URL for log messages, without a password."""
        ...

    @property
    def is_deleted(self) -> bool:
        """Whether the storage was deleted while it was open."""
        ...

    def recreate(self) -> bool:
        """Create the storage again if it was deleted; return whether it was."""
        ...

    def open_liveness(self) -> Liveness:
        """Return the locks of the workers on this store."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...

    def add(self, task_id: str, request: TaskRequest, milliseconds: int, message: str | None = None) -> Task:
        """Add a task in round 0, which expires after some milliseconds, and return it."""
        ...

    def get(self, task_id: str) -> Task | None:
        """Return a task; None if it does not exist or has expired."""
        ...

    def count_unfinished(self, caller: str) -> int:
        """Return how many tasks of a caller have no final state."""
        ...

    def list_other_titles(self) -> list[str]:
        """Return the titles of other applications with tasks in this queue."""
        ...

    def claim(self, task_id: str, round_number: int, worker: str, can_run: CanRun) -> Claim | None:
        """Give a task to a worker, and count an attempt.

        Return None if the task is in another round or state, another worker has it, or this worker lacks its tool.
        """
        ...

    def set_message(self, task_id: str, worker: str, message: str) -> None:
        """Set the status message of a task that a worker holds."""
        ...

    def finish(self, task_id: str, worker: str, result: RunResult, resume_state: bytes | None = None) -> bool:
        """Store the result of a round; return False if the worker no longer holds the task."""
        ...

    def interrupt(self, task_id: str, worker: str) -> None:
        """Release a task whose worker shuts down, without counting the attempt; fail it if it may not run again."""
        ...

    def answer(self, task_id: str, answers: Mapping[str, Any], merge: MergeAnswers) -> int | None:
        """Store answers to open questions of a task, and ignore others.

        Returns:
            The next round, if all questions are answered now; else None.
        """
        ...

    def cancel(self, task_id: str) -> bool:
        """Cancel a task; return False if it has a final state."""
        ...

    def filter_held(self, worker: str, task_ids: Collection[str]) -> set[str]:
        """Return those of some tasks that a worker still holds."""
        ...

    def read_versions(self, task_ids: Sequence[str]) -> dict[str, TaskVersion]:
        """Return the versions of those of some tasks that exist."""
        ...

    def list_holders(self) -> set[str]:
        """Return the workers that hold tasks."""
        ...

    def release(self, worker: str) -> None:
        """Release the tasks of a dead worker; fail those that may not run again, or that were attempted too often."""
        ...

    def list_waiting(self, idle_ms: int, can_run: CanRun, limit: int) -> list[tuple[str, int]]:
        """Return tasks, with their rounds, that this worker can run and no worker holds.

        They have not changed for some milliseconds; the longest unchanged come first.
        """
        ...

    def list_expired(self) -> list[tuple[str, int]]:
        """Return some tasks whose time is over, with their last rounds."""
        ...

    def remove(self, task_ids: Collection[str]) -> None:
        """Delete tasks."""
        ...
