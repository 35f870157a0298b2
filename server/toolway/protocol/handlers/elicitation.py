"""Questions of endpoints to users, in both eras.

From 2026-07-28 on a call with questions ends as ``input_required`` and is repeated with the answers; a state that is
sealed, bound and short-lived says what was asked and answered (basic/patterns/mrtr of the specification). Before that
the server asks while the call runs, which needs a session (client/elicitation of 2025-11-25).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any, cast

from fastapi import HTTPException
from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    ClientCapabilities,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    Result,
    SamplingMessage,
    TextContent,
)
from mcp_types.methods import INPUT_REQUIRED_METHODS
from pydantic import ValidationError

from toolway.calls import CallContext, Invoker
from toolway.elicitation import (
    Answer,
    AnyQuestion,
    Kind,
    NoSessionError,
    QuestionChannel,
    ReplayCache,
    ReplayChannel,
    Sampling,
    require_kinds,
    state_keys,
    validation_problem,
    with_problem,
)
from toolway.protocol.context import Context
from toolway.protocol.principals import Principals
from toolway.protocol.versions import revision_for
from toolway.settings import Settings

__all__ = ["answer_of", "asking_of", "input_request", "install_request_state", "lacking_error", "questions_of"]

logger = logging.getLogger("toolway.protocol")

_MOST_TRIES = 3
_RESULTS: Mapping[Kind, type[Result]] = {
    "elicitation": ElicitResult,
    "sampling": CreateMessageResult,
    "roots": ListRootsResult,
}
_NEEDED: Mapping[Kind, Mapping[str, Any]] = {
    "elicitation": {"elicitation": {"form": {}}},
    "sampling": {"sampling": {}},
    "roots": {"roots": {}},
}


def asking_of(context: Context) -> QuestionChannel:
    """Return the way to ask the client of a request; what it has answered already comes with it."""
    kinds = _kinds(context.session.client_capabilities)
    if not revision_for(context.protocol_version).has_input_required_results:
        return _SessionElicitation(context, kinds) if context.session.can_send_request else _Sessionless()
    if context.method not in INPUT_REQUIRED_METHODS or context.params is None:
        return ReplayChannel(kinds)
    given: Mapping[str, Any] = context.params.get("inputResponses") or {}
    answers = {key: answer_of(entry) for key, entry in given.items()}
    return ReplayChannel(kinds, context.params.get("requestState"), answers)


def questions_of(call: CallContext) -> InputRequiredResult | None:
    """Return what a call has to end with in place of its outcome, as its endpoint has asked; None if it did not.

    Raises:
        MCPError: -32021, the client cannot be asked that.
    """
    asking = call.asking
    if not isinstance(asking, ReplayChannel):
        return None
    if asking.missing_kind is not None:
        raise lacking_error(asking.missing_kind)
    if not asking.pending:
        return None
    requests = {key: input_request(query) for key, query in asking.pending.items()}
    return InputRequiredResult(input_requests=requests, request_state=asking.state())


def lacking_error(kind: Kind) -> MCPError:
    """The error for a client that cannot be asked something."""
    text = f"This needs a client with the capability {kind!r}"
    return MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, text, {"requiredCapabilities": _NEEDED[kind]})


def install_request_state(server: Server[Any], calls: Invoker, settings: Settings) -> None:
    """Let states go out and come in sealed: nobody else can make one, or use it for another call or as another caller.

    All processes that share `Settings.state_keys`, and the server's name, can open them.
    """
    security = RequestStateSecurity(
        keys=state_keys(settings), ttl=settings.state_seconds, bind_principal=Principals(calls).of_call
    )
    server.middleware.append(RequestStateBoundary(security, default_audience=server.name))
    server.middleware.append(_ReplayGuard())


class _ReplayGuard:
    """Refuses a state that has come before; stands behind what opens them, so that junk is not remembered."""

    def __init__(self) -> None:
        self._once = ReplayCache()

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        state: str | None = (ctx.params or {}).get("requestState") if ctx.method in INPUT_REQUIRED_METHODS else None
        if state is not None and not self._once.use(ReplayChannel.read_id(state)):
            logger.warning("requestState rejected on %s: used before", ctx.method)
            raise MCPError(INVALID_PARAMS, "Invalid or expired requestState", {"reason": "invalid_request_state"})
        return await call_next(ctx)


class _Sessionless:
    """Refuses questions of a call over a handshake revision that belongs to no session."""

    kinds: Collection[Kind] = ()

    async def ask(self, queries: Mapping[str, AnyQuestion]) -> Mapping[str, Answer]:
        raise NoSessionError(next(iter(queries.values())).kind)


class _SessionElicitation:
    """Asks while the call runs, over the session of a handshake revision."""

    def __init__(self, context: Context, kinds: Collection[Kind]) -> None:
        self.kinds = kinds
        self._context = context

    async def ask(self, queries: Mapping[str, AnyQuestion]) -> Mapping[str, Answer]:
        require_kinds(queries, self.kinds)
        return {key: await self._answer(key, query) for key, query in queries.items()}

    async def _answer(self, key: str, query: AnyQuestion) -> Answer:
        problem = ""
        for _ in range(_MOST_TRIES):
            answer = await self._try(with_problem(query, problem))
            problem = validation_problem(query, answer)
            if not problem:
                return answer
        raise HTTPException(422, f"The client's answers to {key!r} do not fit. {problem}")

    async def _try(self, query: AnyQuestion) -> Answer:
        """Ask once; a client that answers with an error has closed the question."""
        try:
            result = await self._context.session.send_request(
                input_request(query),
                _RESULTS[query.kind],
                metadata=ServerMessageMetadata(related_request_id=self._context.request_id),
            )
        except MCPError as error:
            logger.info("the client answered %s with an error: %s", query.kind, error)
            return Answer("cancel")
        except ValidationError:
            return Answer("accept", "not an answer")
        return answer_of(result.model_dump(by_alias=True, mode="json", exclude_none=True))


def _kinds(capabilities: ClientCapabilities | None) -> tuple[Kind, ...]:
    """What a client can be asked; a bare ``elicitation: {}`` stands for forms."""
    if capabilities is None:
        return ()
    elicitation = capabilities.elicitation
    has_forms = elicitation is not None and (elicitation.form is not None or elicitation.url is None)
    known: Mapping[Kind, bool] = {
        "elicitation": has_forms,
        "sampling": capabilities.sampling is not None,
        "roots": capabilities.roots is not None,
    }
    return tuple(kind for kind, can in known.items() if can)


def input_request(query: AnyQuestion) -> InputRequest:
    """Write a question as the request that a client answers."""
    if isinstance(query, Sampling):
        message = SamplingMessage(role="user", content=TextContent(text=query.message))
        params = CreateMessageRequestParams(messages=[message], max_tokens=query.max_tokens, system_prompt=query.system)
        return CreateMessageRequest(params=params)
    if query.kind == "roots":
        return ListRootsRequest()
    form = ElicitRequestFormParams(message=query.message, requested_schema=dict(query.schema))
    return ElicitRequest(params=form)


def answer_of(result: Any) -> Answer:
    """Read what a client has sent for one question, whichever kind it is of; it may still not fit."""
    members: Mapping[str, Any] = cast("Mapping[str, Any]", result) if isinstance(result, Mapping) else {}
    action = members.get("action")
    if action is not None:
        return Answer(action if action in {"accept", "decline"} else "cancel", members.get("content"))
    if "role" in members:
        content: Any = members.get("content")
        is_text = isinstance(content, dict) and "text" in content
        return Answer("accept", {"text": content["text"]} if is_text else None)
    return Answer("accept", dict(members))
