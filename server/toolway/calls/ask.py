"""The dependency with which an endpoint asks."""

from __future__ import annotations

from functools import cache
from typing import Annotated, TypeAlias

from fastapi import Depends, FastAPI, Header
from starlette.requests import Request

from toolway.calls.scope import context_of
from toolway.elicitation import Asker
from toolway.elicitation.over_http import ANSWERS_HEADER, RESPONSE, STATE_HEADER, HttpAsking, HttpQuestions
from toolway.openapi import iter_responses
from toolway.settings import Settings, read_settings

__all__ = ["Ask", "ask_dependency", "prepare_questions"]

_PLACE = "toolway_questions"
"""Where an application's state has what its endpoints ask with over plain HTTP."""


_State: TypeAlias = Annotated[
    str | None,
    Header(alias=STATE_HEADER, description="The state of the 428 answer that asked, when sending the answers."),
]
_Answers: TypeAlias = Annotated[
    str | None,
    Header(alias=ANSWERS_HEADER, description='The answers as JSON, by the keys of the 428 answer: {"key": {...}}.'),
]


async def ask_dependency(request: Request, state: _State = None, answers: _Answers = None) -> Asker:
    """Find whoever can be asked; over plain HTTP that is the client itself."""
    context = context_of(request)
    if context is not None and context.asking is not None:
        return Asker(context.asking)
    questions: HttpQuestions = getattr(request.app.state, _PLACE, None) or _default_questions()
    return Asker(HttpAsking(request, questions, state, answers))


@cache
def _default_questions() -> HttpQuestions:
    return HttpQuestions(read_settings())


def prepare_questions(app: FastAPI, settings: Settings) -> None:
    """Let endpoints of an application, and of those mounted in it, ask over plain HTTP, and say so in their documents.

    Endpoints that an application has elsewhere ask just the same, under the settings of the environment.
    """
    questions = HttpQuestions(settings)
    for inner, responses in iter_responses(app, ask_dependency):
        responses.setdefault(428, dict(RESPONSE))
        if not hasattr(inner.state, _PLACE):
            setattr(inner.state, _PLACE, questions)


Ask: TypeAlias = Annotated[Asker, Depends(ask_dependency)]
"""A dependency that asks the user: ``async def greet(ask: Ask)``, then ``name = await ask("Your name?", Name)``.

It is no argument of the tool.
"""
