"""Tasks: tool calls that continue after their request, and survive the process that accepted them."""

from __future__ import annotations

from toolway.calls import Invoker
from toolway.elicitation import Seal
from toolway.errors import ConfigurationError
from toolway.settings import Settings
from toolway.tasks.call_codec import QuestionCodec, decode_missing_kind, decode_outcome, encode_call, make_run_call
from toolway.tasks.dbos_queue import DbosQueue
from toolway.tasks.keys import read_keys
from toolway.tasks.queue import QueueBusyError
from toolway.tasks.sql_store import SqlStore
from toolway.tasks.task import Task, TaskState
from toolway.tasks.worker import TaskLimits, TaskWorker, TooManyTasksError

__all__ = [
    "QuestionCodec",
    "QueueBusyError",
    "Task",
    "TaskState",
    "TaskWorker",
    "TooManyTasksError",
    "decode_missing_kind",
    "decode_outcome",
    "encode_call",
    "open_worker",
]


def open_worker(calls: Invoker, settings: Settings, title: str, codec: QuestionCodec) -> TaskWorker:
    """Open the task store of an application, and return a worker on it.

    Raises:
        ConfigurationError: the store cannot be opened, or its workers do not share a key.
    """
    store = SqlStore(settings.store_url, settings.task_queue, title)
    try:
        keys = read_keys(settings, store.file)
    except ConfigurationError:
        store.close()
        raise
    store.file_key = None if settings.state_keys else keys[0]
    return TaskWorker(
        store,
        DbosQueue(store.url, settings.task_queue, title, settings.tasks_at_once),
        Seal(keys),
        make_run_call(calls, settings.task_seconds, codec),
        TaskLimits(
            seconds=settings.task_seconds,
            at_once=settings.tasks_at_once,
            per_caller=settings.tasks_per_caller,
            shutdown_seconds=settings.shutdown_seconds,
        ),
        can_run=lambda name: name in calls.tools,
    )
