"""Questions over plain HTTP: the response 428 has the questions, and the client repeats the request with its answers.

428 is Precondition Required (RFC 6585, section 3). The client carries the answers so far in an encrypted state, bound
to the request and its credentials.
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
from toolway.elicitation.sealing import DecryptionError, Seal, state_keys
from toolway.elicitation.used_states import UsedStates
from toolway.headers import differs_per_request
from toolway.openapi import read_route_names
from toolway.settings import Settings

__all__ = ["ANSWERS_HEADER", "STATE_HEADER", "HttpQuestionChannel", "HttpStateCodec"]

STATE_HEADER = "Toolway-State"
ANSWERS_HEADER = "Toolway-Answers"

_INSTRUCTIONS = (
    f"This request needs answers first. Repeat it with the state below in the header {STATE_HEADER}, and the answers "
    f'as JSON in {ANSWERS_HEADER}: {{"key": {{...}}}} with a value for the schema of each question, or null to decline.'
)
_KINDS: tuple[Kind, ...] = ("elicitation", "sampling", "roots")


class HttpStateCodec:
    """Encrypts the question states of one application."""

    def __init__(self, settings: Settings) -> None:
        self._seal = Seal([key.encode() for key in state_keys(settings)])
        self._seconds = settings.state_seconds
        self._used = UsedStates(settings)
        self.forwarded = frozenset(name.encode("latin-1") for name in settings.forward_headers)
        """Headers that identify the client besides its credentials: those that reach endpoints in tool calls also."""

    def encode(self, state: str, request_identity: str) -> str:
        """Encrypt a state for one request."""
        return base64.urlsafe_b64encode(self._seal.encrypt(state.encode(), f"request {request_identity}")).decode()

    async def decode(self, token: str, request_identity: str) -> str:
        """Return a state that the client has sent back.

        Raises:
            HTTPException: 400; the state was issued elsewhere or for another request or client, has expired, or was
                used before.
        """
        try:
            encrypted = base64.urlsafe_b64decode(token)
            state = self._seal.decrypt(encrypted, f"request {request_identity}", self._seconds).decode()
        except (DecryptionError, ValueError):  # ValueError: not Base64
            reason = "it was issued by another server or for another request or caller, or it has expired"
            raise _invalid_state(reason) from None
        if not await self._used.use(ReplayChannel.read_id(state)):
            raise _invalid_state("it was already used")
        return state


class HttpQuestionChannel:
    """Asks the client that sent a request."""

    kinds: tuple[Kind, ...] = _KINDS

    def __init__(self, request: Request, codec: HttpStateCodec, state: str | None, answers: str | None) -> None:
        self._request = request
        self._codec = codec
        self._state = state
        self._answers = answers
        self._channel: _HttpReplayChannel | None = None

    async def ask(self, queries: Mapping[str, AnyQuestion]) -> Mapping[str, Answer]:
        if self._channel is None:
            identity = await _identify_request(self._request, self._codec.forwarded)
            answers = _parse_answers(self._answers) if self._answers is not None else {}
            state = await self._codec.decode(self._state, identity) if self._state is not None else None
            self._channel = _HttpReplayChannel(self._codec, identity, state, answers)
        return await self._channel.ask(queries)


class _HttpReplayChannel(ReplayChannel):
    def __init__(
        self, codec: HttpStateCodec, request_identity: str, state: str | None, answers: Mapping[str, Answer]
    ) -> None:
        super().__init__(_KINDS, state, answers)
        self._codec = codec
        self._request_identity = request_identity

    def describe_pending(self) -> Any:
        questions = {key: _describe_question(query) for key, query in self.pending.items()}
        state = self._codec.encode(self.state(), self._request_identity)
        return {"message": _INSTRUCTIONS, "questions": questions, "state": state}


def _invalid_state(reason: str) -> HTTPException:
    return HTTPException(400, f"{STATE_HEADER} is not valid: {reason}. Leave it out to be asked again.")


def _describe_question(query: AnyQuestion) -> dict[str, Any]:
    limits = {"max_tokens": query.max_tokens, "system": query.system} if isinstance(query, Sampling) else {}
    return {"kind": query.kind, "message": query.message, "schema": dict(query.schema), **limits}


def _parse_answers(header: str) -> dict[str, Answer]:
    """Parse ``{"key": {...}, "other": null}``; null declines."""
    try:
        members: object = from_json(header.encode("latin-1"), allow_inf_nan=False)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        example = '{"name": {"first": "Ann"}}'
        raise HTTPException(400, f"Expected {ANSWERS_HEADER} to be a JSON object of answers by key, such as {example}")
    found = cast("dict[str, Any]", members).items()
    return {key: Answer("decline") if value is None else Answer("accept", value) for key, value in found}


async def _identify_request(request: Request, forwarded: frozenset[bytes]) -> str:
    """Return a text that is equal for two requests only if they have the same target, body and credentials."""
    scope = request.scope
    ignored = {STATE_HEADER.lower(), ANSWERS_HEADER.lower()}
    declared = (
        name for name in read_route_names(scope).headers if not differs_per_request(name) and name not in ignored
    )
    names = {b"authorization", b"cookie", *forwarded, *(name.encode("latin-1") for name in declared)}
    credentials = sorted(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"] if name in names
    )
    query = scope["query_string"].decode("latin-1")
    return json.dumps([scope["method"], scope["path"], query, credentials, await _hash_body(request)])


async def _hash_body(request: Request) -> str:
    digest = hashlib.sha256()
    try:
        digest.update(await request.body())
    except RuntimeError:  # the body was already read as a form
        async for part in _iterate_form_parts(request):
            digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()


async def _iterate_form_parts(request: Request) -> AsyncIterator[bytes]:
    for name, value in (await request.form()).multi_items():
        yield name.encode()
        if isinstance(value, str):
            yield value.encode()
        else:
            yield (value.filename or "").encode()
            yield await value.read()
            await value.seek(0)
