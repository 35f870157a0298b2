"""What an endpoint can ask of whoever calls it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from toolway.elicitation.forms import form_schema

__all__ = [
    "Answer",
    "AnyQuestion",
    "Kind",
    "Question",
    "Root",
    "Roots",
    "Sampling",
    "digest",
    "validation_problem",
    "with_problem",
]

Kind: TypeAlias = Literal["elicitation", "sampling", "roots"]
"""Who answers: the user, the client's model, or the client itself."""

FormT = TypeVar("FormT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    action: Literal["accept", "decline", "cancel"]
    content: Any = None
    """JSON as the question's schema has it, when it was accepted."""


class Question(Generic[FormT]):
    """A question to the user, answered with a form.

    Args:
        message: the question itself.
        form: a Pydantic model, flat: text, numbers, true or false, and choices of texts.

    Raises:
        ConfigurationError: the model has a field that no form can have.
    """

    kind: ClassVar[Kind] = "elicitation"

    def __init__(self, message: str, form: type[FormT]) -> None:
        self.message = message
        self.schema: Mapping[str, Any] = form_schema(form)
        self._form = form

    def read(self, content: Any) -> FormT:
        """Read an answer; raises a `ValidationError` when it does not fit."""
        return self._form.model_validate({} if content is None else content)


class _Sampled(BaseModel):
    text: str


class Sampling:
    """A question to the client's own model (sampling, deprecated since 2026-07-28); the answer is its text.

    Args:
        message: the prompt.
        max_tokens: how long the answer may become.
        system: a system prompt, which a client may leave out.
    """

    kind: ClassVar[Kind] = "sampling"

    def __init__(self, message: str, *, max_tokens: int, system: str | None = None) -> None:
        self.message = message
        self.max_tokens = max_tokens
        self.system = system
        self.schema: Mapping[str, Any] = form_schema(_Sampled)

    def read(self, content: Any) -> str:
        """Read an answer; raises a `ValidationError` when it does not fit."""
        return _Sampled.model_validate(content).text


class Root(BaseModel):
    """A place that a client's user works in."""

    uri: str
    name: str | None = None


class _RootList(BaseModel):
    roots: list[Root]


class Roots:
    """A question to the client: the places that its user works in (roots, deprecated since 2026-07-28)."""

    kind: ClassVar[Kind] = "roots"
    message: ClassVar[str] = "In which places do you work?"
    schema: ClassVar[Mapping[str, Any]] = _RootList.model_json_schema()

    def read(self, content: Any) -> list[Root]:
        """Read an answer; raises a `ValidationError` when it does not fit."""
        return _RootList.model_validate(content).roots


AnyQuestion: TypeAlias = Question[Any] | Sampling | Roots


def validation_problem(query: AnyQuestion, answer: Answer) -> str:
    """Say why an answer cannot be read, field by field; nothing where it can be, as a refusal always can."""
    if answer.action != "accept":
        return ""
    try:
        query.read(answer.content)
    except ValidationError as error:
        return "; ".join(_problem(entry) for entry in error.errors(include_url=False))
    return ""


def _problem(entry: ErrorDetails) -> str:
    field = ".".join(str(step) for step in entry["loc"])
    return f"{field}: {entry['msg']}" if field else entry["msg"]


def with_problem(query: AnyQuestion, problem: str) -> AnyQuestion:
    """Return a question with a word to the user why it is put once more; models and clients are asked as before."""
    if not problem or not isinstance(query, Question):
        return query
    repeated = copy(query)
    repeated.message = f"{query.message}\n\nThe last answer does not fit. {problem}"
    return repeated


def digest(key: str, query: AnyQuestion) -> str:
    """What an answer is bound to: the very question that was put, under its key."""
    limits = (query.max_tokens, query.system) if isinstance(query, Sampling) else ()
    asked = json.dumps([key, query.kind, query.message, query.schema, *limits], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:32]
