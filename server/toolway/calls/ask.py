"""The dependency with which an endpoint asks questions."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Depends, FastAPI, Header
from starlette.requests import Request

from toolway.calls.scope import context_of
from toolway.elicitation import Asker
from toolway.elicitation.over_http import (
    ANSWERS_HEADER,
    QUESTIONS_RESPONSE,
    STATE_HEADER,
    HttpQuestionChannel,
    HttpStateCodec,
)
from toolway.openapi import iter_responses
from toolway.settings import Settings, read_settings

__all__ = ["Ask", "ask_dependency", "prepare_questions"]

_STATE_ATTRIBUTE = "toolway_questions"
"""The attribute of an application's state with its `HttpStateCodec`."""

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
    codec: HttpStateCodec | None = getattr(request.app.state, _STATE_ATTRIBUTE, None)
    if codec is None:
        codec = HttpStateCodec(read_settings())
        setattr(request.app.state, _STATE_ATTRIBUTE, codec)
    return Asker(HttpQuestionChannel(request, codec, state, answers))


def prepare_questions(app: FastAPI, settings: Settings) -> None:
    """Let the endpoints of an application, and of those mounted in it, ask over plain HTTP, and document the response.

    Other endpoints that ask use the settings of the environment.
    """
    codec = HttpStateCodec(settings)
    for inner, responses in iter_responses(app, ask_dependency):
        responses.setdefault(428, dict(QUESTIONS_RESPONSE))
        if not hasattr(inner.state, _STATE_ATTRIBUTE):
            setattr(inner.state, _STATE_ATTRIBUTE, codec)


Ask: TypeAlias = Annotated[Asker, Depends(ask_dependency)]
"""A dependency that asks the user: ``async def greet(ask: Ask)``, then ``name = await ask("Your name?", Name)``.

It does not become an argument of the tool.
"""
