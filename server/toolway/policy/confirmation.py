"""Asking for a yes before a tool runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from string import Formatter
from typing import Any

from pydantic import BaseModel, Field

from toolway.catalog import Tool
from toolway.catalog.schema.sanitize import visible
from toolway.elicitation.questions import Question
from toolway.elicitation.replay import CannotAskError, DeclinedError, QuestionChannel
from toolway.errors import ArgumentError

__all__ = ["CONFIRM_KEY", "confirm"]

CONFIRM_KEY = "toolway.confirm"
_LONGEST_VALUE = 200


class _Confirmation(BaseModel):
    ok: bool = Field(title="Yes, do it")


async def confirm(tool: Tool, arguments: Mapping[str, Any], asking: QuestionChannel | None, *, required: bool) -> None:
    """Come back only after a yes; where none is required, a caller that cannot be asked goes on without one.

    Raises:
        ArgumentError: an argument is missing, so that the endpoint would refuse the call after the yes.
        DeclinedError: the answer was no.
        AnswerNeeded: the call ends here, and is made again with the answer.
        CannotAskError: the caller cannot be asked.
    """
    if not required and (asking is None or "elicitation" not in asking.kinds):
        return
    for name, argument in tool.arguments.items():
        if argument.required and name not in arguments:
            raise ArgumentError(f"missing argument {name!r}")
    if asking is None:
        raise CannotAskError("elicitation")
    question = Question(_text(tool.confirmation or "", tool, arguments), _Confirmation)
    answer = (await asking.ask({CONFIRM_KEY: question}))[CONFIRM_KEY]
    if answer.action != "accept":
        raise DeclinedError("confirm", answer.action)
    if not question.read(answer.content).ok:
        raise DeclinedError("confirm")


def _text(template: str, tool: Tool, arguments: Mapping[str, Any]) -> str:
    """Fill in the arguments; the catalogue has seen that there is nothing else to fill in."""
    parts: list[str] = []
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(_shown(arguments.get(name, tool.arguments[name].schema.get("default"))))
    return "".join(parts)


def _shown(value: Any) -> str:
    """A value as JSON: what stands in quotes is no part of the question, whatever it says."""
    if value is None:
        return "nothing"
    text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}... ({len(text):,} characters)"
