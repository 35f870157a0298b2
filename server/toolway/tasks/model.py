"""A job: one call that runs apart from the request that asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["FINAL", "Job", "JobState", "ResumeState", "RunResult", "TaskRequest"]


class JobState(StrEnum):
    """Where a job stands; the last three are final."""

    WORKING = "working"
    INPUT_REQUIRED = "input_required"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """What somebody wants done."""

    tool: str
    caller: str
    """Whoever shows the same fingerprint may ask for the job later; nobody else learns that it exists."""
    call: bytes
    """What is needed to run it, credentials included; sealed before it is stored."""
    repeatable: bool
    """Whether it may run again after an end that nobody saw."""
    identity: str | None = None
    """Which parts of a request make up the caller's identity, as whoever computes fingerprints has written it down."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run of a job came to its end."""

    state: JobState
    result: bytes | None = None
    """JSON: what came of it, or for a failure the error."""
    message: str | None = None
    questions: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What has to be answered before it can go on (`INPUT_REQUIRED`), by key."""
    memory: str = ""
    """What its next run has to know of this one."""


@dataclass(frozen=True, slots=True)
class ResumeState:
    """What a run has to know of the ones before it."""

    state: str
    """What the last one has left in `RunResult.memory`."""
    given: Mapping[str, Any]
    """What was answered to its questions."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands in the store. Times are milliseconds since the epoch."""

    id: str
    tool: str
    caller: str
    state: JobState
    message: str | None
    created: int
    updated: int
    expires: int
    result: bytes | None
    questions: Mapping[str, Any]
    """Those without an answer so far."""
    identity: str | None = None
    """See `TaskRequest.identity`; None for a job that was accepted before it was recorded."""
    is_claimed: bool = False
    """Whether a worker has begun to run it."""
