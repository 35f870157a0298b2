"""Corrected arguments for a call that an endpoint has rejected, where there is only one sensible correction."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, cast

from toolway.calls.response.outcome import Outcome
from toolway.catalog import EndpointTool
from toolway.catalog.schema.definitions import dereference
from toolway.content import TextContent
from toolway.openapi import Schema

__all__ = ["add_corrected_call"]

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_SIMILAR = 0.8
_LONGEST = 2000
_MOST_VALUES = 1000


def add_corrected_call(outcome: Outcome, tool: EndpointTool, arguments: Mapping[str, Any]) -> Outcome:
    """Return a rejection with the arguments that the endpoint would accept, if each problem has a certain correction.

    A correction is certain if the value is another spelling of a single one of the allowed values, a number or boolean
    that was sent as text, or a number that was sent instead of its text.
    """
    problems = cast("Sequence[Mapping[str, str]]", (outcome.error or {}).get("problems", ()))
    if outcome.status != 422 or not problems:
        return outcome
    corrected: dict[str, Any] = copy.deepcopy(dict(arguments))
    if not all(_correct(corrected, tool, problem) for problem in problems):
        return outcome
    text = json.dumps(corrected, ensure_ascii=False, separators=(",", ":"))
    if len(text) > _LONGEST:
        return outcome
    *others, last = outcome.content
    if not isinstance(last, TextContent):
        return outcome
    blocks = (*others, TextContent(text=f"{last.text}. Call {tool.name} with {text}"))
    return replace(outcome, blocks=blocks, error={**(outcome.error or {}), "corrected": corrected})


def _correct(arguments: dict[str, Any], tool: EndpointTool, problem: Mapping[str, str]) -> bool:
    """Correct the value that a problem is about in these arguments; return whether its correction is certain."""
    steps = [int(index) if index else name for index, name in _STEP.findall(problem["argument"])]
    argument = tool.arguments.get(str(steps[0])) if steps else None
    if argument is None:
        return False
    components, schema = tool.operation.components, argument.schema
    holder: Any = arguments
    for step, following in pairwise(steps):
        holder = _member(holder, step)
        schema = _schema_of_member(dereference(schema, components), following)
        if schema is None:
            return False
    value = _member(holder, steps[-1])
    correction = _correction(value, dereference(schema, components))
    if correction is None:
        return False
    holder[steps[-1]] = correction
    return True


def _member(holder: Any, step: str | int) -> Any:
    """Return a member or an item of a value; None if it does not exist."""
    if isinstance(holder, list) and isinstance(step, int):
        items = cast("list[Any]", holder)
        return items[step] if step < len(items) else None
    return cast("dict[Any, Any]", holder).get(step) if isinstance(holder, dict) else None


def _schema_of_member(schema: Schema, step: str | int) -> Schema | None:
    found: Any = schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
    return cast("Schema", found) if isinstance(found, dict) else None


def _correction(value: Any, schema: Schema) -> Any:
    """Return the value that was meant; None if that is not certain."""
    allowed: Sequence[Any] = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if allowed:
        return _nearest(value, allowed) if isinstance(value, str) and len(allowed) <= _MOST_VALUES else None
    kind = schema.get("type")
    if kind == "string" and type(value) in {int, float}:
        return json.dumps(value)
    if not isinstance(value, str) or kind not in {"integer", "number", "boolean"}:
        return None
    try:
        parsed = json.loads(value.strip().lower())
    except ValueError:
        return None
    types = {"integer": (int,), "number": (int, float), "boolean": (bool,)}[cast("str", kind)]
    return parsed if type(parsed) in types else None


def _nearest(value: str, allowed: Sequence[Any]) -> str | None:
    """Return the allowed text that differs in case, spaces or hyphens only, or else the only similar one."""
    texts = [each for each in allowed if isinstance(each, str)]
    same = [each for each in texts if _letters(each) == _letters(value)]
    found = same or get_close_matches(value.casefold(), texts, n=2, cutoff=_SIMILAR)
    return found[0] if len(found) == 1 else None


def _letters(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text.casefold())
