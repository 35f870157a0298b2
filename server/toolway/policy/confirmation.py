"""Confirmation: the user is asked before a tool runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from string import Formatter
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from toolway.calls import Outcome, Proceed
from toolway.catalog import EndpointTool, Tool
from toolway.catalog.schema.sanitize import strip_invisible
from toolway.elicitation.questions import Question
from toolway.elicitation.replay import CannotAskError, DeclinedError, QuestionChannel
from toolway.errors import ArgumentError

if TYPE_CHECKING:
    from toolway.policy.hooks import Call

__all__ = ["CONFIRM_KEY", "Confirmation"]

CONFIRM_KEY = "toolway.confirm"
_LONGEST_VALUE = 200


class _Answer(BaseModel):
    ok: bool = Field(title="Yes, do it")


class Confirmation:
    """A hook that asks the user before a tool that is marked with ``confirm`` runs.

    Args:
        required: refuse calls of clients that cannot ask their user; False runs these calls without confirmation.
    """

    def __init__(self, *, required: bool) -> None:
        self._required = required

    def applies(self, tool: Tool) -> bool:
        """Return whether a tool is marked with ``confirm``."""
        return isinstance(tool, EndpointTool) and tool.confirmation is not None

    def asks(self, tool: Tool, questions: QuestionChannel | None) -> bool:
        """Return whether a call of a tool has to be confirmed."""
        can_ask = questions is not None and "elicitation" in questions.kinds
        return self.applies(tool) and (self._required or can_ask)

    async def call(self, call: Call, proceed: Proceed) -> Outcome:
        """Ask the user, and proceed once the user has confirmed.

        Raises:
            ArgumentError: the tool would refuse the arguments anyway.
            DeclinedError: the user did not confirm.
            AnswerNeeded: the call ends here, and is repeated with the answer.
            CannotAskError: the client cannot ask its user.
        """
        tool = call.tool
        if isinstance(tool, EndpointTool) and self.asks(tool, call.questions):
            _check_arguments(call, tool)
            if call.questions is None:
                raise CannotAskError("elicitation")
            question = Question(_fill_template(tool.confirmation or "", tool, call.arguments), _Answer)
            answer = (await call.questions.ask({CONFIRM_KEY: question}))[CONFIRM_KEY]
            if answer.action != "accept":
                raise DeclinedError("confirm", answer.action)
            if not question.read(answer.content).ok:
                raise DeclinedError("confirm")
        return await proceed()


def _check_arguments(call: Call, tool: EndpointTool) -> None:
    """Refuse arguments that the endpoint would refuse anyway, before the user is asked."""
    call.check_arguments()
    for name, argument in tool.arguments.items():
        if argument.required and name not in call.arguments:
            raise ArgumentError(f"missing argument {name!r}")


def _fill_template(template: str, tool: EndpointTool, arguments: Mapping[str, Any]) -> str:
    """Fill in the arguments; the catalog has checked that the braces hold nothing else."""
    parts: list[str] = []
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(_format_value(arguments.get(name, tool.arguments[name].schema.get("default"))))
    return "".join(parts)


def _format_value(value: Any) -> str:
    """Return a value as JSON: text in quotes is not taken for a part of the question."""
    if value is None:
        return "(not given)"
    text = strip_invisible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}... ({len(text):,} characters)"
