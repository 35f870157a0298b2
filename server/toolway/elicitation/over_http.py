"""Asking over plain HTTP: the endpoint answers 428 with its questions, and the same request comes again with answers.

428 is Precondition Required (RFC 6585, section 3). What was answered so far travels with the client, sealed, and bound
to the request and to its credentials.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from fastapi import HTTPException
from pydantic_core import from_json
from starlette.requests import Request

from toolway.elicitation.questions import Answer, AnyQuestion, Kind, Sampling
from toolway.elicitation.replay import ReplayChannel
from toolway.elicitation.sealing import BrokenSealError, ReplayCache, Seal, state_keys
from toolway.headers import differs_per_request
from toolway.openapi import read_route_names
from toolway.settings import Settings

__all__ = ["ANSWERS_HEADER", "RESPONSE", "STATE_HEADER", "HttpAsking", "HttpQuestions"]

STATE_HEADER = "Toolway-State"
ANSWERS_HEADER = "Toolway-Answers"

_HOW = (
    f"An answer is needed first. Send the same request again, with the state below in the header {STATE_HEADER}, and "
    f'the answers as JSON in {ANSWERS_HEADER}: {{"key": {{...}}}} by the schema of each question, or null to decline.'
)
_KINDS: tuple[Kind, ...] = ("elicitation", "sampling", "roots")

RESPONSE: Mapping[str, Any] = {
    "description": "The endpoint asks something first",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {
                        "type": "object",
                        "required": ["message", "questions", "state"],
                        "properties": {
                            "message": {"type": "string", "description": "How to answer."},
                            "questions": {
                                "type": "object",
                                "description": "The questions by key.",
                                "additionalProperties": {
                                    "type": "object",
                                    "required": ["kind", "message", "schema"],
                                    "properties": {
                                        "kind": {"type": "string", "enum": list(_KINDS)},
                                        "message": {"type": "string"},
                                        "schema": {"type": "object", "description": "The answer's JSON Schema."},
                                    },
                                },
                            },
                            "state": {"type": "string", "description": f"To be sent back as {STATE_HEADER}."},
                        },
                    }
                },
            }
        }
    },
}
"""The 428 of an endpoint that asks, as its OpenAPI operation documents it."""


class HttpQuestions:
    """Keeps the questions of one application apart from everybody else's."""

    def __init__(self, settings: Settings) -> None:
        self._seal = Seal([key.encode() for key in state_keys(settings)])
        self._seconds = settings.state_seconds
        self._once = ReplayCache()
        self.forwarded = frozenset(name.encode("latin-1") for name in settings.forward_headers)
        """Headers that say who calls, besides credentials: those that the operator lets through in a tool call, too."""

    def close(self, state: str, bound_to: str) -> str:
        return base64.urlsafe_b64encode(self._seal.close(state.encode(), _place(bound_to))).decode("ascii")

    def open(self, token: str, bound_to: str) -> str:
        """Return a state that came back.

        Raises:
            HTTPException: 400; it is not one of ours, belongs to somebody or something else, has expired or was used.
        """
        try:
            state = self._seal.open(base64.urlsafe_b64decode(token), _place(bound_to), self._seconds).decode()
        except (BrokenSealError, ValueError):  # no Base64
            raise _invalid("it is none of this server's, of another request or caller, or too old") from None
        if not self._once.use(ReplayChannel.number(state)):
            raise _invalid("it was used already")
        return state


def _place(bound_to: str) -> str:
    """Where a state can be opened; the seals of tasks have places of their own under the same keys."""
    return f"request {bound_to}"


class HttpAsking:
    """Asks whoever sent one request."""

    kinds: tuple[Kind, ...] = _KINDS

    def __init__(self, request: Request, questions: HttpQuestions, state: str | None, answers: str | None) -> None:
        self._request = request
        self._questions = questions
        self._state = state
        self._answers = answers
        self._rounds: _HttpRounds | None = None

    async def ask(self, queries: Mapping[str, AnyQuestion]) -> Mapping[str, Answer]:
        if self._rounds is None:
            self._rounds = await self._begun()
        return await self._rounds.ask(queries)

    async def _begun(self) -> _HttpRounds:
        bound_to = await _identity(self._request, self._questions.forwarded)
        given = _read_answers(self._answers) if self._answers is not None else {}
        state = self._questions.open(self._state, bound_to) if self._state is not None else None
        return _HttpRounds(self._questions, bound_to, state, given)


class _HttpRounds(ReplayChannel):
    def __init__(self, questions: HttpQuestions, bound_to: str, state: str | None, given: Mapping[str, Answer]) -> None:
        super().__init__(_KINDS, state, given)
        self._questions = questions
        self._bound_to = bound_to

    def refusal(self) -> Any:
        shown = {key: _shown(query) for key, query in self.pending.items()}
        return {"message": _HOW, "questions": shown, "state": self._questions.close(self.state(), self._bound_to)}


def _invalid(why: str) -> HTTPException:
    return HTTPException(400, f"{STATE_HEADER} is not valid: {why}. Leave it out to be asked again.")


def _shown(query: AnyQuestion) -> dict[str, Any]:
    limits = {"max_tokens": query.max_tokens, "system": query.system} if isinstance(query, Sampling) else {}
    return {"kind": query.kind, "message": query.message, "schema": dict(query.schema), **limits}


def _read_answers(header: str) -> dict[str, Answer]:
    """Read ``{"key": {...}, "other": null}``; null declines."""
    try:
        members: object = from_json(header.encode("latin-1"), allow_inf_nan=False)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        example = '{"name": {"first": "Ann"}}'
        raise HTTPException(400, f"Expected {ANSWERS_HEADER} to be a JSON object of answers by key, such as {example}")
    found = cast("dict[str, Any]", members).items()
    return {key: Answer("decline") if value is None else Answer("accept", value) for key, value in found}


async def _identity(request: Request, forwarded: frozenset[bytes]) -> str:
    """What makes two requests the same one: what is asked for, with which body, and by whom."""
    scope = request.scope
    declared = (name for name in read_route_names(scope).headers if not _differs(name))
    wanted = {b"authorization", b"cookie", *forwarded, *(name.encode("latin-1") for name in declared)}
    credentials = sorted(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"] if name in wanted
    )
    query = scope["query_string"].decode("latin-1")
    return json.dumps([scope["method"], scope["path"], query, credentials, await _body(request)])


def _differs(header: str) -> bool:
    return differs_per_request(header) or header in {STATE_HEADER.lower(), ANSWERS_HEADER.lower()}


async def _body(request: Request) -> str:
    digest = hashlib.sha256()
    try:
        digest.update(await request.body())
    except RuntimeError:  # read already, as a form
        async for part in _form_parts(request):
            digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()


async def _form_parts(request: Request) -> AsyncIterator[bytes]:
    for name, value in (await request.form()).multi_items():
        yield name.encode()
        if isinstance(value, str):
            yield value.encode()
        else:
            yield (value.filename or "").encode()
            yield await value.read()
            await value.seek(0)
