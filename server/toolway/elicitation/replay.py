"""Asking in the middle of a call, and what may come of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from fastapi import HTTPException

from toolway.elicitation.questions import Answer, AnyQuestion, Kind, digest, validation_problem, with_problem
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
    """A way to ask whoever made a call, for the length of that call."""

    @property
    def kinds(self) -> Collection[Kind]:
        """What can be asked."""
        ...

    async def ask(self, queries: Mapping[str, AnyQuestion]) -> Mapping[str, Answer]:
        """Return an answer to each, every one of which fits its question or is a refusal.

        Raises:
            AnswerNeeded: the call has to end here, and is made again with the answers.
            CannotAskError: the caller cannot be asked this.
        """
        ...


class AnswerNeeded(HTTPException):
    """Ends a call that has to be made again with answers."""

    def __init__(self, detail: Any) -> None:
        super().__init__(428, detail)


class NoSessionError(CannotAskError):
    """The caller can be asked only in a session, and its request belongs to none."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)
        self.detail = (
            "The client cannot be asked: a client of MCP 2025-11-25 or earlier needs a session for that over HTTP (and "
            f"the capability {kind!r}), and this request belongs to none. If the server keeps sessions, reconnect. "
            "Otherwise its operator can set TOOLWAY_STATEFUL=true to keep sessions (in one process), or "
            "TOOLWAY_CONFIRM=if_possible to run tools without a confirmation if the client cannot be asked."
        )


def require_kinds(queries: Mapping[str, AnyQuestion], kinds: Collection[Kind]) -> None:
    """See that everything can be asked.

    Raises:
        CannotAskError: something cannot.
    """
    for query in queries.values():
        if query.kind not in kinds:
            raise CannotAskError(query.kind)


class ReplayChannel:
    """Asks by ending the call; whoever made it makes it again with the answers, and the endpoint runs from its start.

    What was answered so far travels with the caller, in a state that nobody else can write: sealing it, and binding it
    to the call and its caller, is for whoever sends it out. An answer counts only for the very question that was put.
    """

    def __init__(
        self, kinds: Collection[Kind], state: str | None = None, given: Mapping[str, Answer] | None = None
    ) -> None:
        known: dict[str, Any] = json.loads(state) if state is not None else {}
        self.kinds = kinds
        self.pending: dict[str, AnyQuestion] = {}
        """What was asked and not answered; the call has no other outcome then, whatever the endpoint made of it."""
        self.lacking: Kind | None = None
        """What the caller would have to be able to be asked."""
        self._asked: dict[str, str] = {}
        self._answers: dict[str, Answer] = {asked: Answer(**entry) for asked, entry in known.get("answers", {}).items()}
        for key, asked in known.get("asked", {}).items():
            if given and key in given:
                self._answers[asked] = given[key]

    async def ask(self, queries: Mapping[str, AnyQuestion]) -> Mapping[str, Answer]:
        found = {key: self._answers.get(digest(key, query)) for key, query in queries.items()}
        answers = {key: answer for key, answer in found.items() if answer is not None}
        problems = {key: validation_problem(queries[key], answer) for key, answer in answers.items()}
        if missing := {key: query for key, query in queries.items() if problems.get(key, "no answer")}:
            self._require(missing)
            self.pending |= {key: with_problem(query, problems.get(key, "")) for key, query in missing.items()}
            self._asked |= {key: digest(key, query) for key, query in missing.items()}
            raise AnswerNeeded(self.refusal())
        return answers

    def _require(self, missing: Mapping[str, AnyQuestion]) -> None:
        try:
            require_kinds(missing, self.kinds)
        except CannotAskError as error:
            self.lacking = error.kind
            raise

    def refusal(self) -> Any:
        """What the endpoint's own answer says."""
        return "The call is made again when its questions are answered."

    def state(self) -> str:
        """What has to come back with the answers."""
        open_ones = set(self._asked.values())
        answers = {key: asdict(answer) for key, answer in self._answers.items() if key not in open_ones}
        return json.dumps({"id": secrets.token_urlsafe(12), "answers": answers, "asked": self._asked})

    @staticmethod
    def number(state: str) -> str:
        """Tell one state from every other."""
        return json.loads(state)["id"]
