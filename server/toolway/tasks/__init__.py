"""The room of long jobs: calls that go on after their request was answered, and that outlive their process."""

from __future__ import annotations

from toolway.calls import Invoker
from toolway.elicitation import Seal
from toolway.errors import ConfigurationError
from toolway.settings import Settings
from toolway.tasks.call_codec import QuestionCodec, lacking_of, outcome_from, performing, written_call
from toolway.tasks.dbos_queue import QueueBusyError
from toolway.tasks.keys import keys_for
from toolway.tasks.model import Job, JobState
from toolway.tasks.sql_store import JobStore
from toolway.tasks.worker import Jobs, TooManyJobsError

__all__ = [
    "Job",
    "JobState",
    "Jobs",
    "QuestionCodec",
    "QueueBusyError",
    "TooManyJobsError",
    "lacking_of",
    "open_jobs",
    "outcome_from",
    "written_call",
]  # fmt: skip


def open_jobs(calls: Invoker, settings: Settings, title: str, speech: QuestionCodec) -> Jobs:
    """Open the store of an application's jobs.

    Raises:
        ConfigurationError: the store cannot be opened, or there is no key that all its workers know.
    """
    store = JobStore(settings.store_url, settings.task_queue, title)
    try:
        keys = keys_for(settings, store.file)
    except ConfigurationError:
        store.close()
        raise
    store.key = None if settings.state_keys else keys[0]
    return Jobs(
        store,
        Seal(keys),
        performing(calls, settings.task_seconds, speech),
        can_run=lambda name: name in calls.tools,
        seconds=settings.task_seconds,
        at_once=settings.tasks_at_once,
        per_caller=settings.tasks_per_caller,
        shutdown_seconds=settings.shutdown_seconds,
    )
