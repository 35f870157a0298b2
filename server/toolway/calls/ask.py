"""The dependency with which an endpoint asks questions."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Depends, FastAPI, Header
from starlette.requests import Request

from toolway.app_state import state_of
from toolway.calls.scope import context_of
from toolway.elicitation import Asker
from toolway.elicitation.over_http import ANSWERS_HEADER, STATE_HEADER, HttpQuestionChannel, HttpStateCodec
from toolway.openapi import iter_applications
from toolway.settings import Settings, read_settings

__all__ = ["Ask", "ask_dependency", "prepare_questions"]

_State: TypeAlias = Annotated[
    str | None,
    Header(alias=STATE_HEADER, description="The state of the 428 response, when sending the answers."),
]
_Answers: TypeAlias = Annotated[
    str | None,
    Header(alias=ANSWERS_HEADER, description='The answers as JSON, by the keys of the 428 response: {"key": {...}}.'),
]


async def ask_dependency(request: Request, state: _State = None, answers: _Answers = None) -> Asker:
    """Return an asker for the client of the tool call or HTTP request."""
    context = context_of(request)
    if context is not None and context.asking is not None:
        return Asker(context.asking)
    app_state = state_of(request.app)
    if app_state.question_codec is None:
        app_state.question_codec = HttpStateCodec(read_settings())
    return Asker(HttpQuestionChannel(request, app_state.question_codec, state, answers))


def prepare_questions(app: FastAPI, settings: Settings) -> None:
    """Use these settings for questions over plain HTTP in an application and those that are mounted in it.

    Endpoints of other applications ask with the settings of the environment.
    """
    codec = HttpStateCodec(settings)
    for each in iter_applications(app):
        state = state_of(each)
        if state.question_codec is None:
            state.question_codec = codec


Ask: TypeAlias = Annotated[Asker, Depends(ask_dependency)]
"""A dependency that asks the user: ``async def greet(ask: Ask)``, then ``name = await ask("Your name?", Name)``.

It does not become an argument of the tool.
"""
