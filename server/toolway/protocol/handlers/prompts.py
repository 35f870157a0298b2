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
from toolway.protocol.call_context import CallContextFactory
from toolway.protocol.handlers.elicitation import input_required_result
from toolway.protocol.requests import RequestContext, check_cursor
from toolway.protocol.results import outcome_error

__all__ = ["register_prompts"]

logger = logging.getLogger("toolway.protocol")

_MAX_SHOWN = 100


def register_prompts(
    server: Server[Any], prompts: Mapping[str, Prompt], calls: Invoker, call_contexts: CallContextFactory
) -> None:
    """Serve ``prompts/list`` and ``prompts/get`` for these prompts."""
    listed = ListPromptsResult(
        prompts=[ListedPrompt.model_validate(prompt.definition()) for prompt in prompts.values()]
    )

    async def list_prompts(context: RequestContext, params: PaginatedRequestParams) -> ListPromptsResult:
        check_cursor(params)
        if not calls.policy.hides_tools:
            return listed
        caller = call_contexts.create(context)
        shown = {name for name, prompt in prompts.items() if calls.policy.shows(prompt.tool, caller)}
        return ListPromptsResult(prompts=[prompt for prompt in listed.prompts if prompt.name in shown])

    async def get_prompt(
        context: RequestContext, params: GetPromptRequestParams
    ) -> GetPromptResult | InputRequiredResult:
        prompt, call = prompts.get(params.name), call_contexts.create(context)
        if prompt is None or not calls.policy.shows(prompt.tool, call):
            raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.name[:_MAX_SHOWN]!r}")
        arguments = _read_arguments(prompt, params.arguments or {})
        outcome = await calls.perform(prompt.tool, arguments, call)
        if questions := input_required_result(call):
            return questions
        if outcome.is_error:
            raise outcome_error(outcome)
        return GetPromptResult(description=prompt.description or None, messages=_messages(prompt, outcome))

    server.add_request_handler("prompts/list", PaginatedRequestParams, list_prompts)
    server.add_request_handler("prompts/get", GetPromptRequestParams, get_prompt)


def _read_arguments(prompt: Prompt, texts: Mapping[str, str]) -> Mapping[str, Any]:
    """Convert the arguments, which MCP sends as texts, to the types of the endpoint's parameters."""
    arguments = prompt.tool.arguments
    missing = [name for name, argument in arguments.items() if argument.required and name not in texts]
    unknown = [name for name in texts if name not in arguments]
    if missing or unknown:
        problem = f"is missing {', '.join(missing)}" if missing else f"has no argument {unknown[0][:_MAX_SHOWN]!r}"
        expected = ", ".join(arguments) or "none"
        raise MCPError(INVALID_PARAMS, f"The prompt {prompt.name} {problem}. Arguments: {expected}")
    try:
        return read_arguments(prompt.tool, texts)
    except ArgumentError as error:
        raise MCPError(INVALID_PARAMS, f"Invalid arguments: {error}") from error


def _messages(prompt: Prompt, outcome: Outcome) -> list[PromptMessage]:
    """Return the messages in an endpoint's response: one or several; a plain text is a message of the user."""
    if outcome.structured is None:
        return [_user_message(entry.text) for entry in outcome.content if isinstance(entry, TextContent)]
    content: Any = from_json(outcome.structured)
    entries = cast("list[Any]", content) if isinstance(content, list) else [content]
    try:
        return [
            _user_message(entry) if isinstance(entry, str) else PromptMessage.model_validate(entry) for entry in entries
        ]
    except ValidationError as error:
        logger.warning("the response of prompt %r is not a text, a Message or a list of them", prompt.name)
        raise outcome_error(report_internal_error(prompt.tool.name, error)) from error


def _user_message(text: str) -> PromptMessage:
    return PromptMessage.model_validate(Message(content=TextContent(text=text)).model_dump(mode="json"))
