"""Channels for questions in the middle of a call, and the errors they raise."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from fastapi import HTTPException

from toolway.elicitation.questions import Answer, AnyQuestion, Kind, hash_question, validation_problem, with_problem
from toolway.errors import CannotAskError, DeclinedError

__all__ = [
    "AnswerNeeded",
    "CannotAskError",
    "DeclinedError",
    "NoSessionError",
    "QuestionChannel",
    "ReplayChannel",
    "require_kinds",
]


class QuestionChannel(Protocol):
    """A way to ask the client of a call while the call runs."""

    @property
    def kinds(self) -> Collection[Kind]:
        """The kinds of questions that the client supports."""
        ...

    async def ask(self, queries: Mapping[str, AnyQuestion]) -> Mapping[str, Answer]:
        """Return the answers by key; each is valid for its question, or declines it.

        Raises:
            AnswerNeeded: the call has to end, and is repeated with the answers.
            CannotAskError: the client does not support a question.
        """
        ...


class AnswerNeeded(HTTPException):
    """Ends a call that has to be repeated with answers."""

    def __init__(self, detail: Any) -> None:
        super().__init__(428, detail)


class NoSessionError(CannotAskError):
    """The client can be asked only in a session, and its request has no session."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)
        self.detail = (
            "The client cannot be asked: over HTTP, clients of MCP 2025-11-25 or earlier need a session for that (and "
            f"the capability {kind!r}), and this request has no session. If the server keeps sessions, reconnect. "
            "Otherwise the operator can set TOOLWAY_STATEFUL=true to keep sessions (in one process), or "
            "TOOLWAY_CONFIRM=if_possible to run tools without a confirmation if the client cannot be asked."
        )


def require_kinds(queries: Mapping[str, AnyQuestion], kinds: Collection[Kind]) -> None:
    """Check that a client supports all questions.

    Raises:
        CannotAskError: it does not support one of them.
    """
    for query in queries.values():
        if query.kind not in kinds:
            raise CannotAskError(query.kind)


class ReplayChannel:
    """Asks by ending the call; the client repeats the call with the answers, and the endpoint runs again.

    The client carries the answers so far in a state. The code that sends the state has to encrypt it, and to bind it to
    the call and its caller. An answer is accepted for exactly the question that was asked.

    Args:
        kinds: the kinds of questions that the client supports.
        state: the state that the client has sent back.
        answers: the client's answers to the questions in that state, by key.
    """

    def __init__(
        self, kinds: Collection[Kind], state: str | None = None, answers: Mapping[str, Answer] | None = None
    ) -> None:
        known: dict[str, Any] = json.loads(state) if state is not None else {}
        self.kinds = kinds
        self.answers: Mapping[str, Answer] = answers or {}
        """The client's answers to the last questions, by key; they have not been validated."""
        self.saved: str | None = known.get("saved")
        """Data that the previous run has kept with its questions, instead of running again from its beginning."""
        self.pending: dict[str, AnyQuestion] = {}
        """The questions without a valid answer. If there are any, they are the outcome of the call."""
        self.missing_kind: Kind | None = None
        """The kind of a question that the client does not support; the call has failed."""
        self._asked: dict[str, str] = {}
        self._answers: dict[str, Answer] = {asked: Answer(**entry) for asked, entry in known.get("answers", {}).items()}
        for key, asked in known.get("asked", {}).items():
            if answers and key in answers:
                self._answers[asked] = answers[key]

    async def ask(self, queries: Mapping[str, AnyQuestion]) -> Mapping[str, Answer]:
        found = {key: self._answers.get(hash_question(key, query)) for key, query in queries.items()}
        answers = {key: answer for key, answer in found.items() if answer is not None}
        problems = {key: validation_problem(queries[key], answer) for key, answer in answers.items()}
        if missing := {key: query for key, query in queries.items() if problems.get(key, "no answer")}:
            try:
                require_kinds(missing, self.kinds)
            except CannotAskError as error:
                self.missing_kind = error.kind
                raise
            self.pending |= {key: with_problem(query, problems.get(key, "")) for key, query in missing.items()}
            self._asked |= {key: hash_question(key, query) for key, query in missing.items()}
            raise AnswerNeeded(self.describe_pending())
        return answers

    def suspend(self, queries: Mapping[str, AnyQuestion], saved: str) -> None:
        """Ask by ending the call, and keep data for its next run, which gets the client's `answers` as they are."""
        self.pending = dict(queries)
        self.saved = saved

    def describe_pending(self) -> Any:
        """Return the detail of the endpoint's own 428 response."""
        return "The call is repeated when its questions are answered."

    def state(self) -> str:
        """Return the state that the client has to send back with its answers."""
        pending = set(self._asked.values())
        answers = {key: asdict(answer) for key, answer in self._answers.items() if key not in pending}
        members = {"id": secrets.token_urlsafe(12), "answers": answers, "asked": self._asked}
        return json.dumps(members if self.saved is None else {**members, "saved": self.saved})

    @staticmethod
    def read_id(state: str) -> str:
        """Return the unique id of a state."""
        return json.loads(state)["id"]
