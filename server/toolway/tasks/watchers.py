"""Notifications about changes of tasks, in all workers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager

from toolway.tasks.task import FINAL, TaskVersion

__all__ = ["TaskWatchers"]


class TaskWatchers:
    """Compares the stored versions of tasks with those that were reported last."""

    def __init__(self) -> None:
        self._open: list[_Watcher] = []

    @contextmanager
    def watch(self, task_ids: Collection[str], notify: Callable[[str], None]) -> Generator[None]:
        """Call `notify` with the id of each of these tasks: once soon, and after every change until it is final."""
        watcher = _Watcher(task_ids, notify)
        self._open.append(watcher)
        try:
            yield
        finally:
            self._open.remove(watcher)

    def list_ids(self) -> list[str]:
        """Return the ids of the watched tasks that may still change."""
        return list({task_id: None for watcher in self._open for task_id in watcher.known})

    def compare(self, versions: Mapping[str, TaskVersion]) -> None:
        """Notify of every watched task with another version than before."""
        for watcher in list(self._open):
            watcher.compare(versions)


class _Watcher:
    def __init__(self, task_ids: Collection[str], notify: Callable[[str], None]) -> None:
        self.known: dict[str, TaskVersion | None] = dict.fromkeys(task_ids)
        self._notify = notify

    def compare(self, versions: Mapping[str, TaskVersion]) -> None:
        for task_id, known in list(self.known.items()):
            version = versions.get(task_id)
            if version is not None and version != known:
                self.known[task_id] = version
                self._notify(task_id)
            if version is None or version.state in FINAL:
                del self.known[task_id]
