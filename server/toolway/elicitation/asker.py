"""The interface through which an endpoint asks questions."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from toolway.elicitation.questions import AnyQuestion, Kind, Question
from toolway.elicitation.replay import DeclinedError, QuestionChannel

__all__ = ["Asker"]

FormT = TypeVar("FormT", bound=BaseModel)


class Asker:
    """Asks the client that called the tool, or that sent the request over plain HTTP.

    Ask before you act: if the call has to end before an answer can arrive (MCP 2026-07-28, plain HTTP), the endpoint
    runs again from its beginning with all answers so far.
    """

    def __init__(self, asking: QuestionChannel) -> None:
        self._asking = asking
        self._count = 0

    @property
    def kinds(self) -> frozenset[Kind]:
        """The supported kinds of questions: ``elicitation`` (to the user), ``sampling`` (to the model), ``roots``."""
        return frozenset(self._asking.kinds)

    async def __call__(self, message: str, form: type[FormT], *, key: str | None = None) -> FormT:
        """Ask the user one question, and return the answer.

        Args:
            message: the question; an answer is accepted for exactly this text only.
            form: a flat Pydantic model with the fields of the answer.
            key: the name of the question; defaults to ``answer1``, ``answer2`` and so on.

        Raises:
            DeclinedError: the user declined to answer.
            CannotAskError: the client does not support the question. A client of MCP 2026-07-28 gets the error even if
                the endpoint catches it, so check `kinds` before you ask a question that is optional.
            ConfigurationError: the model has a field that a form cannot have.
        """
        self._count += 1
        key = key or f"answer{self._count}"
        return (await self.all(**{key: Question(message, form)}))[key]

    async def all(self, **queries: AnyQuestion) -> dict[str, Any]:
        """Ask several questions at once; return the answers by key. Raises the same errors as a single question."""
        answers = await self._asking.ask(queries)
        for key in queries:
            action = answers[key].action
            if action != "accept":
                raise DeclinedError(key, action)
        return {key: query.read(answers[key].content) for key, query in queries.items()}
