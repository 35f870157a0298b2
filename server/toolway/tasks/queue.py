"""The interface between the worker and the queue that distributes tasks among workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

__all__ = ["Queue", "QueueBusyError", "RunTask", "StoppedError"]

RunTask: TypeAlias = Callable[[str, int], None]
"""Runs a round of a task, and returns when it has ended; raises `StoppedError` if it has to stay unfinished."""


class StoppedError(BaseException):
    """A round was left unfinished.

    It is not an Exception, because a queue may take an exception for the task's own result and record it.
    """


class QueueBusyError(Exception):
    """This process cannot run tasks, as something else occupies its queue. Clients may see the text."""


class Queue(Protocol):
    """A queue of rounds of tasks. Methods block, and are called in threads.

    A queue may lose entries, because the store has all tasks: a task that no worker has taken after two seconds is run
    by any worker that can. A queue may also deliver an entry twice, because `Store.claim` succeeds once.
    """

    @property
    def is_running(self) -> bool:
        """Whether tasks of this queue are delivered in this process."""
        ...

    def start(self, worker: str, run: RunTask) -> None:
        """Deliver tasks from now on, by calling `run` in threads of the queue.

        Does nothing if a queue of the same name, store and application runs in this process.

        Args:
            worker: the id of this worker, which no other worker ever has.
            run: called with the id of a task and its round.

        Raises:
            QueueBusyError: this process cannot run another queue.
        """
        ...

    def stop(self) -> None:
        """Stop delivering tasks, without waiting for those that run."""
        ...

    def put(self, task_id: str, round_number: int) -> None:
        """Add a round of a task; one that was added before is not added again."""
        ...

    def forget(self, tasks: Sequence[tuple[str, int]]) -> None:
        """Delete every record of tasks, given with their last rounds."""
        ...
