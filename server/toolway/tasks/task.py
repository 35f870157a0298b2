"""A task: one tool call that runs apart from the request that started it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

__all__ = [
    "FINAL",
    "Claim",
    "ReportProgress",
    "ResumeState",
    "RunCall",
    "RunResult",
    "Task",
    "TaskRequest",
    "TaskState",
    "TaskVersion",
]


class TaskState(StrEnum):
    """The state of a task; the last three are final."""

    WORKING = "working"
    INPUT_REQUIRED = "input_required"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELLED})


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """A request to run a tool as a task."""

    tool: str
    caller: str
    """A fingerprint of the caller's credentials. Only requests with the same fingerprint can see the task."""
    call: bytes
    """The encoded call, credentials included; encrypted before it is stored."""
    repeatable: bool
    """Whether the task may run again after a run with an unknown outcome."""
    identity: str | None = None
    """The parts of a request that identify its caller, as JSON."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task as stored. Times are milliseconds since the epoch."""

    id: str
    tool: str
    caller: str
    state: TaskState
    message: str | None
    created: int
    updated: int
    expires: int
    result: bytes | None
    questions: Mapping[str, Any]
    """The questions that have not been answered yet, by key."""
    identity: str | None = None
    """See `TaskRequest.identity`; None for tasks of releases that did not record it."""
    is_claimed: bool = False
    """Whether a worker runs it."""


class TaskVersion(NamedTuple):
    """The values that differ after every visible change of a task."""

    updated: int
    state: TaskState
    message: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that its worker may run now."""

    id: str
    tool: str
    call: bytes
    repeatable: bool
    resume_state: bytes | None
    """The encrypted `ResumeState`; None in the first round."""


@dataclass(frozen=True, slots=True)
class ResumeState:
    """The input of a round that resumes a task after its questions were answered."""

    replay_state: str
    """`RunResult.replay_state` of the round before."""
    answers: Mapping[str, Any]
    """The answers to the questions of all rounds so far, by key."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of one round of a task."""

    state: TaskState
    result: bytes | None = None
    """The outcome as JSON; for some failures, the reason."""
    message: str | None = None
    questions: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The questions to answer before the next round (`TaskState.INPUT_REQUIRED`), by key."""
    replay_state: str = ""
    """The state to pass to the next round."""


ReportProgress: TypeAlias = Callable[[str], None]
"""Records the progress of a task, as text."""

RunCall: TypeAlias = Callable[[str, bytes, ResumeState | None, ReportProgress], Awaitable[RunResult]]
"""Runs a tool, by name, with an encoded call; stops when it is canceled."""
