"""The questions that an endpoint can ask its client."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from toolway.elicitation.forms import build_form_schema

__all__ = [
    "Answer",
    "AnyQuestion",
    "Kind",
    "Question",
    "Root",
    "Roots",
    "Sampling",
    "hash_question",
    "validation_problem",
    "with_problem",
]

Kind: TypeAlias = Literal["elicitation", "sampling", "roots"]
"""The MCP capability that answers: the user, the client's model, or the client itself."""

FormT = TypeVar("FormT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question."""

    action: Literal["accept", "decline", "cancel"]
    content: Any = None
    """A JSON value for the question's schema, if the action is ``accept``; it may be invalid."""


class Question(Generic[FormT]):
    """A question to the user, answered with a form.

    Args:
        message: the text of the question.
        form: a flat Pydantic model, whose fields are strings, numbers, booleans and choices of strings.

    Raises:
        ConfigurationError: the model has a field that a form cannot have.
    """

    kind: ClassVar[Kind] = "elicitation"

    def __init__(self, message: str, form: type[FormT]) -> None:
        self.message = message
        self.schema: Mapping[str, Any] = build_form_schema(form)
        self._form = form

    def read(self, content: Any) -> FormT:
        """Validate an answer; raise a `ValidationError` if it is not valid."""
        return self._form.model_validate({} if content is None else content)


class _Sampled(BaseModel):
    text: str


class Sampling:
    """A prompt for the client's model (sampling, deprecated since MCP 2026-07-28); the answer is a string.

    Args:
        message: the prompt.
        max_tokens: the maximum length of the answer.
        system: a system prompt, which a client may ignore.
    """

    kind: ClassVar[Kind] = "sampling"

    def __init__(self, message: str, *, max_tokens: int, system: str | None = None) -> None:
        self.message = message
        self.max_tokens = max_tokens
        self.system = system
        self.schema: Mapping[str, Any] = build_form_schema(_Sampled)

    def read(self, content: Any) -> str:
        """Validate an answer; raise a `ValidationError` if it is not valid."""
        return _Sampled.model_validate(content).text


class Root(BaseModel):
    """A directory or file that the user works in."""

    uri: str
    name: str | None = None


class _RootList(BaseModel):
    roots: list[Root]


class Roots:
    """A request for the directories that the user works in (roots, deprecated since MCP 2026-07-28)."""

    kind: ClassVar[Kind] = "roots"
    message: ClassVar[str] = "Which directories do you work in?"
    schema: ClassVar[Mapping[str, Any]] = _RootList.model_json_schema()

    def read(self, content: Any) -> list[Root]:
        """Validate an answer; raise a `ValidationError` if it is not valid."""
        return _RootList.model_validate(content).roots


AnyQuestion: TypeAlias = Question[Any] | Sampling | Roots


def validation_problem(query: AnyQuestion, answer: Answer) -> str:
    """Return why an answer is not valid, field by field; empty if it is valid or declines the question."""
    if answer.action != "accept":
        return ""
    try:
        query.read(answer.content)
    except ValidationError as error:
        return "; ".join(_describe_error(entry) for entry in error.errors(include_url=False))
    return ""


def _describe_error(entry: ErrorDetails) -> str:
    field = ".".join(str(step) for step in entry["loc"])
    return f"{field}: {entry['msg']}" if field else entry["msg"]


def with_problem(query: AnyQuestion, problem: str) -> AnyQuestion:
    """Return a question with the reason why the user is asked again; questions to models and clients stay the same."""
    if not problem or not isinstance(query, Question):
        return query
    repeated = copy(query)
    repeated.message = f"{query.message}\n\nYour previous answer was not valid: {problem}"
    return repeated


def hash_question(key: str, query: AnyQuestion) -> str:
    """Return a hash of a question and its key, to which an answer is bound."""
    limits = (query.max_tokens, query.system) if isinstance(query, Sampling) else ()
    asked = json.dumps([key, query.kind, query.message, query.schema, *limits], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:32]
