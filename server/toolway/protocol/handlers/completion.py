"""``completion/complete``: suggestions while somebody types the value of an argument.

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

from toolway.calls import CallContext, Invoker, Outcome
from toolway.catalog import Completion, Prompt, Resource, Tool
from toolway.protocol.context import Context, ContextOf
from toolway.protocol.errors import failed
from toolway.protocol.handlers.resources import Resources

__all__ = ["offer_completion"]

logger = logging.getLogger("toolway.protocol")

_MOST = 100
"""So many suggestions fit in one answer."""
_LONGEST_NAME = 100


def offer_completion(
    server: Server[Any], prompts: Mapping[str, Prompt], resources: Resources, calls: Invoker, context_of: ContextOf
) -> None:
    """Suggest values for the arguments of these prompts, and for the variables of these resources."""

    def completed(params: CompleteRequestParams, caller: CallContext) -> Prompt | Resource:
        ref = params.ref
        found = prompts.get(ref.name) if isinstance(ref, PromptReference) else resources.template(ref.uri)
        if found is None or not calls.policy.shows(found.tool, caller):
            shown = ref.name if isinstance(ref, PromptReference) else ref.uri
            raise MCPError(INVALID_PARAMS, f"Nothing is known as {shown[:_LONGEST_NAME]!r}")
        return found

    async def complete(context: Context, params: CompleteRequestParams) -> CompleteResult:
        caller = context_of(context)
        owner, name = completed(params, caller), params.argument.name
        if name not in owner.tool.arguments:
            takes = ", ".join(owner.tool.arguments) or "nothing"
            raise MCPError(INVALID_PARAMS, f"{owner.name} has no argument {name[:_LONGEST_NAME]!r}; it takes {takes}")
        completion = owner.completions.get(name, _NOTHING)
        typed = params.argument.value
        if completion.source is None:
            return _result(_fitting(completion.choices, typed))
        known = params.context.arguments or {} if params.context else {}
        arguments = {key: value for key, value in known.items() if key in completion.source.arguments}
        return _result(await _asked(calls, completion.source, {**arguments, completion.text: typed}, caller))

    server.add_request_handler("completion/complete", CompleteRequestParams, complete)


_NOTHING = Completion()


def _fitting(choices: Sequence[str], typed: str) -> list[str]:
    """What begins as typed comes first, then what has it inside."""
    folded = typed.casefold()
    found = [choice for choice in choices if folded in choice.casefold()]
    return sorted(found, key=lambda choice: not choice.casefold().startswith(folded))


async def _asked(calls: Invoker, source: Tool, arguments: Mapping[str, str], context: CallContext) -> list[str]:
    outcome = await calls.perform(source, arguments, context)
    if outcome.status == 422:  # what is typed so far need not be a value yet
        return []
    if outcome.is_error:
        raise failed(outcome)
    return _texts(source, outcome)


def _texts(source: Tool, outcome: Outcome) -> list[str]:
    values: Any = from_json(outcome.structured) if outcome.structured is not None else None
    if not isinstance(values, list):
        logger.warning("%s suggests values, but did not answer with a list of strings", source.operation)
        return []
    return [str(value) for value in cast("list[Any]", values)]


def _result(values: Sequence[str]) -> CompleteResult:
    return CompleteResult(
        completion=Suggestions(values=list(values[:_MOST]), total=len(values), has_more=len(values) > _MOST)
    )
