"""Questions of endpoints to users.

- Since MCP 2026-07-28, a call with questions ends with ``input_required``, and the client repeats it with the answers
  (basic/patterns/mrtr of the specification). The questions and earlier answers are in an encrypted request state, which
  expires and is bound to the call and its caller.
- Before, the server sends a request to the client during the call, which needs a session (client/elicitation of
  2025-11-25).
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
    ReplayChannel,
    Sampling,
    UsedStates,
    require_kinds,
    state_keys,
    validation_problem,
    with_problem,
)
from toolway.protocol.principals import Principals
from toolway.protocol.requests import RequestContext
from toolway.protocol.versions import revision_for
from toolway.settings import Settings

__all__ = [
    "input_request",
    "input_required_result",
    "install_request_state",
    "missing_capability_error",
    "question_channel",
    "read_answer",
]

logger = logging.getLogger("toolway.protocol")

_MAX_ATTEMPTS = 3
_RESULTS: Mapping[Kind, type[Result]] = {
    "elicitation": ElicitResult,
    "sampling": CreateMessageResult,
    "roots": ListRootsResult,
}
_CAPABILITIES: Mapping[Kind, Mapping[str, Any]] = {
    "elicitation": {"elicitation": {"form": {}}},
    "sampling": {"sampling": {}},
    "roots": {"roots": {}},
}


def question_channel(context: RequestContext) -> QuestionChannel:
    """Return the channel for questions to the client of a request; it holds the answers that the request contains."""
    kinds = _supported_kinds(context.session.client_capabilities)
    if not revision_for(context.protocol_version).has_input_required_results:
        return _SessionChannel(context, kinds) if context.session.can_send_request else _UnavailableChannel()
    if context.method not in INPUT_REQUIRED_METHODS or context.params is None:
        return ReplayChannel(kinds)
    responses: Mapping[str, Any] = context.params.get("inputResponses") or {}
    answers = {key: read_answer(entry) for key, entry in responses.items()}
    return ReplayChannel(kinds, context.params.get("requestState"), answers)


def input_required_result(call: CallContext) -> InputRequiredResult | None:
    """Return the result that replaces the outcome of a call whose endpoint asked questions; None if it asked none.

    Raises:
        MCPError: -32021, the client lacks the capability for a question.
    """
    channel = call.asking
    if not isinstance(channel, ReplayChannel):
        return None
    if channel.missing_kind is not None:
        raise missing_capability_error(channel.missing_kind)
    if not channel.pending:
        return None
    requests = {key: input_request(query) for key, query in channel.pending.items()}
    return InputRequiredResult(input_requests=requests, request_state=channel.state())


def missing_capability_error(kind: Kind) -> MCPError:
    """Return the error for a client that lacks the capability to answer a kind of question."""
    text = f"This request needs a client with the capability {kind!r}, which this client does not declare"
    return MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, text, {"requiredCapabilities": _CAPABILITIES[kind]})


def install_request_state(server: Server[Any], calls: Invoker, settings: Settings) -> None:
    """Encrypt the request states of a server, and bind each one to its call and caller.

    All processes with the same `Settings.state_keys` and server name can decrypt them.
    """
    security = RequestStateSecurity(
        keys=state_keys(settings), ttl=settings.state_seconds, bind_principal=Principals(calls).for_context
    )
    server.middleware.append(RequestStateBoundary(security, default_audience=server.name))
    server.middleware.append(_ReplayGuard(settings))


class _ReplayGuard:
    """Middleware that rejects a request state on its second use; it runs after the decryption of states."""

    def __init__(self, settings: Settings) -> None:
        self._used_states = UsedStates(settings)

    async def __call__(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        state: str | None = (ctx.params or {}).get("requestState") if ctx.method in INPUT_REQUIRED_METHODS else None
        if state is not None and not await self._used_states.use(ReplayChannel.read_id(state)):
            logger.warning("rejected a requestState that was used before (%s)", ctx.method)
            raise MCPError(INVALID_PARAMS, "Invalid or expired requestState", {"reason": "invalid_request_state"})
        return await call_next(ctx)


class _UnavailableChannel:
    """The channel of a call that cannot ask questions, as it needs a session and has none."""

    kinds: Collection[Kind] = ()

    async def ask(self, queries: Mapping[str, AnyQuestion]) -> Mapping[str, Answer]:
        raise NoSessionError(next(iter(queries.values())).kind)


class _SessionChannel:
    """Sends each question as a request to the client of a session."""

    def __init__(self, context: RequestContext, kinds: Collection[Kind]) -> None:
        self.kinds = kinds
        self._context = context

    async def ask(self, queries: Mapping[str, AnyQuestion]) -> Mapping[str, Answer]:
        require_kinds(queries, self.kinds)
        return {key: await self._ask_until_valid(key, query) for key, query in queries.items()}

    async def _ask_until_valid(self, key: str, query: AnyQuestion) -> Answer:
        problem = ""
        for _ in range(_MAX_ATTEMPTS):
            answer = await self._ask_once(with_problem(query, problem))
            problem = validation_problem(query, answer)
            if not problem:
                return answer
        raise HTTPException(422, f"The client's answers to {key!r} were not valid. {problem}")

    async def _ask_once(self, query: AnyQuestion) -> Answer:
        """Ask once; an error from the client counts as a dismissed question."""
        try:
            result = await self._context.session.send_request(
                input_request(query),
                _RESULTS[query.kind],
                metadata=ServerMessageMetadata(related_request_id=self._context.request_id),
            )
        except MCPError as error:
            logger.info("the client responded to %s with an error: %s", query.kind, error)
            return Answer("cancel")
        except ValidationError:
            return Answer("accept", "not an answer")  # fails the validation, so the question is repeated
        return read_answer(result.model_dump(by_alias=True, mode="json", exclude_none=True))


def _supported_kinds(capabilities: ClientCapabilities | None) -> tuple[Kind, ...]:
    """Return the kinds of questions that a client can answer; an empty ``elicitation: {}`` means forms."""
    if capabilities is None:
        return ()
    elicitation = capabilities.elicitation
    has_forms = elicitation is not None and (elicitation.form is not None or elicitation.url is None)
    supported: Mapping[Kind, bool] = {
        "elicitation": has_forms,
        "sampling": capabilities.sampling is not None,
        "roots": capabilities.roots is not None,
    }
    return tuple(kind for kind, is_supported in supported.items() if is_supported)


def input_request(query: AnyQuestion) -> InputRequest:
    """Convert a question to the request that the client receives."""
    if isinstance(query, Sampling):
        message = SamplingMessage(role="user", content=TextContent(text=query.message))
        params = CreateMessageRequestParams(messages=[message], max_tokens=query.max_tokens, system_prompt=query.system)
        return CreateMessageRequest(params=params)
    if query.kind == "roots":
        return ListRootsRequest()
    form = ElicitRequestFormParams(message=query.message, requested_schema=dict(query.schema))
    return ElicitRequest(params=form)


def read_answer(result: Any) -> Answer:
    """Convert the client's result for a question of any kind; it has not been validated."""
    members: Mapping[str, Any] = cast("Mapping[str, Any]", result) if isinstance(result, Mapping) else {}
    action = members.get("action")
    if action is not None:
        return Answer(action if action in {"accept", "decline"} else "cancel", members.get("content"))
    if "role" in members:
        content: Any = members.get("content")
        is_text = isinstance(content, dict) and "text" in content
        return Answer("accept", {"text": content["text"]} if is_text else None)
    return Answer("accept", dict(members))
