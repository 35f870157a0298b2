"""Whom an endpoint asks, question by question."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from toolway.elicitation.questions import Answer, AnyQuestion, Kind, Question
from toolway.elicitation.replay import DeclinedError, QuestionChannel

__all__ = ["Asker"]

FormT = TypeVar("FormT", bound=BaseModel)


class Asker:
    """Asks whoever called the tool, or sent the request over plain HTTP.

    Ask before you act: where the call has to end for the answer to come (2026-07-28, plain HTTP), the endpoint runs
    again from its start with every answer so far.
    """

    def __init__(self, asking: QuestionChannel) -> None:
        self._asking = asking
        self._asked = 0

    @property
    def kinds(self) -> frozenset[Kind]:
        """What this caller can be asked: ``elicitation`` (its user), ``sampling`` (its model), ``roots``."""
        return frozenset(self._asking.kinds)

    async def __call__(self, message: str, form: type[FormT], *, key: str | None = None) -> FormT:
        """Ask the user one question, and return the answer.

        Args:
            message: the question; an answer counts only for exactly this text.
            form: the answer's fields, as a flat Pydantic model.
            key: the question's name; ``answer1``, ``answer2`` and so on otherwise.

        Raises:
            DeclinedError: the user did not want to answer.
            CannotAskError: the caller cannot be asked. A client of 2026-07-28 gets the error even if this is caught:
                look at `kinds` first to go on without an answer.
            ConfigurationError: the model has a field that no form can have.
        """
        self._asked += 1
        key = key or f"answer{self._asked}"
        return (await self.all(**{key: Question(message, form)}))[key]

    async def all(self, **queries: AnyQuestion) -> dict[str, Any]:
        """Ask several things at once, each under its key; return the answers by key. Raises as a single question."""
        answers = await self._asking.ask(queries)
        return {key: _read(key, query, answers[key]) for key, query in queries.items()}


def _read(key: str, query: AnyQuestion, answer: Answer) -> Any:
    if answer.action != "accept":
        raise DeclinedError(key, answer.action)
    return query.read(answer.content)
