"""``prompts/list`` and ``prompts/get``.

https://modelcontextprotocol.io/specification/2026-07-28/server/prompts
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, cast

from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    ListPromptsResult,
    PaginatedRequestParams,
    PromptMessage,
)
from mcp_types import (
    Prompt as ListedPrompt,
)
from pydantic import ValidationError
from pydantic_core import from_json

from toolway.calls import Invoker, Outcome, read_arguments, report_internal_error
from toolway.catalog import Prompt
from toolway.content import Message, TextContent
from toolway.errors import ArgumentError
from toolway.protocol.context import Context, ContextOf
from toolway.protocol.errors import failed
from toolway.protocol.handlers.elicitation import questions_of
from toolway.protocol.pagination import check_page

__all__ = ["offer_prompts"]

logger = logging.getLogger("toolway.protocol")

_LONGEST_NAME = 100


def offer_prompts(server: Server[Any], prompts: Mapping[str, Prompt], calls: Invoker, context_of: ContextOf) -> None:
    """Serve these prompts, in place of what the server has served so far."""
    listed = ListPromptsResult(
        prompts=[ListedPrompt.model_validate(prompt.definition()) for prompt in prompts.values()]
    )

    async def list_prompts(context: Context, params: PaginatedRequestParams) -> ListPromptsResult:
        check_page(params)
        if not calls.policy.hides_tools:
            return listed
        caller = context_of(context)
        shown = {name for name, prompt in prompts.items() if calls.policy.shows(prompt.tool, caller)}
        return ListPromptsResult(prompts=[prompt for prompt in listed.prompts if prompt.name in shown])

    async def get(context: Context, params: GetPromptRequestParams) -> GetPromptResult | InputRequiredResult:
        prompt, call = prompts.get(params.name), context_of(context)
        if prompt is None or not calls.policy.shows(prompt.tool, call):
            raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.name[:_LONGEST_NAME]!r}")
        arguments = _arguments(prompt, params.arguments or {})
        outcome = await calls.perform(prompt.tool, arguments, call)
        if questions := questions_of(call):
            return questions
        if outcome.is_error:
            raise failed(outcome)
        return GetPromptResult(description=prompt.description or None, messages=_messages(prompt, outcome))

    server.add_request_handler("prompts/list", PaginatedRequestParams, list_prompts)
    server.add_request_handler("prompts/get", GetPromptRequestParams, get)


def _arguments(prompt: Prompt, given: Mapping[str, str]) -> Mapping[str, Any]:
    """Read the arguments, which are texts over the wire, as the endpoint takes them."""
    taken = prompt.tool.arguments
    missing = [name for name, argument in taken.items() if argument.required and name not in given]
    unknown = [name for name in given if name not in taken]
    if missing or unknown:
        problem = f"is missing {', '.join(missing)}" if missing else f"has no argument {unknown[0][:_LONGEST_NAME]!r}"
        raise MCPError(INVALID_PARAMS, f"The prompt {prompt.name} {problem}; it takes {', '.join(taken) or 'nothing'}")
    try:
        return read_arguments(prompt.tool, given)
    except ArgumentError as error:
        raise MCPError(INVALID_PARAMS, f"Invalid arguments: {error}") from error


def _messages(prompt: Prompt, outcome: Outcome) -> list[PromptMessage]:
    """Read what the endpoint has written: one message or several, of which a text is what the user says."""
    if outcome.structured is None:
        return [_said(entry.text) for entry in outcome.content if isinstance(entry, TextContent)]
    written: Any = from_json(outcome.structured)
    entries = cast("list[Any]", written) if isinstance(written, list) else [written]
    try:
        return [_said(entry) if isinstance(entry, str) else PromptMessage.model_validate(entry) for entry in entries]
    except ValidationError as error:
        logger.warning("the prompt %r is no text, Message or list of them", prompt.name)
        raise failed(report_internal_error(prompt.tool.name, error)) from error


def _said(text: str) -> PromptMessage:
    return PromptMessage.model_validate(Message(content=TextContent(text=text)).model_dump(mode="json"))
