"""``completion/complete``: suggestions for the value of an argument.

https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CompleteRequestParams, CompleteResult, PromptReference
from mcp_types import Completion as Suggestions
from pydantic_core import from_json

from toolway.calls import CallContext, Invoker
from toolway.catalog import Completion, EndpointTool, Prompt, Resource
from toolway.protocol.call_context import CallContextFactory
from toolway.protocol.handlers.resources import Resources
from toolway.protocol.requests import RequestContext
from toolway.protocol.results import outcome_error

__all__ = ["register_completion"]

logger = logging.getLogger("toolway.protocol")

_MAX_SUGGESTIONS = 100
"""The limit of the specification for one result."""
_MAX_SHOWN = 100
_NO_COMPLETION = Completion()


def register_completion(
    server: Server[Any],
    prompts: Mapping[str, Prompt],
    resources: Resources,
    calls: Invoker,
    call_contexts: CallContextFactory,
) -> None:
    """Serve ``completion/complete`` for arguments of these prompts and variables of these resources."""

    def find_owner(params: CompleteRequestParams, caller: CallContext) -> Prompt | Resource:
        ref = params.ref
        name = ref.name if isinstance(ref, PromptReference) else ref.uri
        owner = prompts.get(name) if isinstance(ref, PromptReference) else resources.template(name)
        if owner is None or not calls.policy.shows(owner.tool, caller):
            raise MCPError(INVALID_PARAMS, f"Unknown prompt or resource: {name[:_MAX_SHOWN]!r}")
        return owner

    async def complete(context: RequestContext, params: CompleteRequestParams) -> CompleteResult:
        caller = call_contexts.create(context)
        owner, name, text = find_owner(params, caller), params.argument.name, params.argument.value
        if name not in owner.tool.arguments:
            expected = ", ".join(owner.tool.arguments) or "none"
            raise MCPError(INVALID_PARAMS, f"{owner.name} has no argument {name[:_MAX_SHOWN]!r}. Arguments: {expected}")
        completion = owner.completions.get(name, _NO_COMPLETION)
        if completion.source is None:
            values = _matching_choices(completion.choices, text)
        else:
            known = params.context.arguments or {} if params.context else {}
            arguments = {key: value for key, value in known.items() if key in completion.source.arguments}
            arguments[completion.text] = text
            values = await _fetch_suggestions(calls, completion.source, arguments, caller)
        shown = values[:_MAX_SUGGESTIONS]
        return CompleteResult(
            completion=Suggestions(values=shown, total=len(values), has_more=len(values) > len(shown))
        )

    server.add_request_handler("completion/complete", CompleteRequestParams, complete)


def _matching_choices(choices: Sequence[str], text: str) -> list[str]:
    """Return the choices that contain the text, those that begin with it first."""
    folded = text.casefold()
    found = [choice for choice in choices if folded in choice.casefold()]
    return sorted(found, key=lambda choice: not choice.casefold().startswith(folded))


async def _fetch_suggestions(
    calls: Invoker, source: EndpointTool, arguments: Mapping[str, str], context: CallContext
) -> list[str]:
    outcome = await calls.perform(source, arguments, context)
    if outcome.status == 422:  # incomplete text need not be a valid argument
        return []
    if outcome.is_error:
        raise outcome_error(outcome)
    values: Any = from_json(outcome.structured) if outcome.structured is not None else None
    if not isinstance(values, list):
        logger.warning("%s is used for suggestions, but its response is not a list of strings", source.operation)
        return []
    return [str(value) for value in cast("list[Any]", values)]
