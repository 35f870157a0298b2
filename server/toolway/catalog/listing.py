"""The definitions of tools as lists contain them, made small enough for the context of an agent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from toolway.catalog.docstrings import split_description
from toolway.catalog.schema.lean import compact_schema, count_tokens, first_sentence, reduce_schema
from toolway.catalog.schema.profiles import to_portable, to_strict
from toolway.catalog.tool import Tool, tool_uri
from toolway.openapi import Schema
from toolway.settings import Settings

__all__ = ["prepare_definitions"]

_T = TypeVar("_T", bound=Tool)
_Definition: TypeAlias = dict[str, Any]
_Reshape: TypeAlias = Callable[[Schema], Schema]
_Outputs: TypeAlias = tuple[Schema | None, Schema | None]
"""Output schemas for MCP 2026-07-28 and for earlier revisions."""

_TOKENS_WITH_OUTPUT = 10_000
"""From here on, a list has no output schemas unless these are asked for."""
_LONG_LIST_TOKENS = 25_000
"""From here on, the definitions in a list are shorter."""
_SHARE_IN_LONG_LISTS = 0.6
"""The part of the budget that a definition has in a long list."""
_DESCRIPTION_TOKENS = 60
"""The tokens of a description in a long list."""
_MIN_SCHEMA_TOKENS = 50
_SHARES = (0.7, 0.4, 0.2)
"""The parts of the budget to try for a schema that becomes longer when it is reshaped."""


def prepare_definitions(tools: Mapping[str, _T], settings: Settings) -> dict[str, _T]:
    """Return the tools with their definitions in lists, as the settings ``schemas`` and ``output_schemas`` ask for."""
    if settings.schemas == "full":
        return dict(tools)
    entries = {name: tool.whole_definition(wrapped=False) for name, tool in tools.items()}
    for entry in entries.values():
        entry.pop("outputSchema", None)
    budget = settings.schema_tokens
    is_long = sum(min(count_tokens(entry), budget) for entry in entries.values()) > _LONG_LIST_TOKENS
    if is_long:
        budget = int(budget * _SHARE_IN_LONG_LISTS)
    for_input, for_output = _RESHAPE[settings.schemas]
    entries = {name: _reduce(tools[name], entry, budget, for_input, is_long=is_long) for name, entry in entries.items()}
    outputs = _reduce_outputs(tools.values(), entries, settings, for_output)
    return {
        name: replace(
            tool,
            listed=_add_output(tool, entries[name], outputs.get(name, (None, None))),
            null_is_missing=settings.schemas == "strict",
        )
        for name, tool in tools.items()
    }


def _keep(schema: Schema) -> Schema:
    return schema


_RESHAPE: Mapping[str, tuple[_Reshape, _Reshape]] = {
    "lean": (_keep, _keep),
    "portable": (to_portable, to_portable),
    "strict": (to_strict, to_portable),
}
"""The functions for the input schemas and the output schemas of a profile."""


def _reduce(tool: Tool, entry: _Definition, budget: int, reshape: _Reshape, *, is_long: bool) -> _Definition:
    """Return the definition of a tool, without its output schema, with at most this many tokens if possible."""
    text, notes = split_description(tool.description, tool.title)
    description = text = text or tool.description
    schema, is_whole = _add_notes(tool.input_schema, notes), True
    if is_long:
        entry, schema = _remove_repetitions(entry, text), _compact_input(schema)
        description = _cut_description(text, _DESCRIPTION_TOKENS)
    others = count_tokens({**entry, "inputSchema": {}, "description": ""})
    rest = budget - others - count_tokens(description)
    if count_tokens(reshape(schema)) > rest:
        others += count_tokens(_note(tool))
        description = _cut_description(description, (budget - others) // 2)
        rest = max(budget - others - count_tokens(description), _MIN_SCHEMA_TOKENS)
        schema, is_whole = _reduce_schema(schema, rest, reshape)
    if not is_whole or description != text:
        description = f"{description}\n\n{_note(tool)}"
    return {**entry, "description": description, "inputSchema": reshape(schema)}


def _reduce_schema(schema: Schema, budget: int, reshape: _Reshape) -> tuple[Schema, bool]:
    """Return a schema that has at most this many tokens after it was reshaped, and whether it is whole."""
    lean = reduce_schema(schema, budget)
    for share in () if reshape is _keep else _SHARES:
        if count_tokens(reshape(lean.schema)) <= budget:
            break
        lean = reduce_schema(schema, int(budget * share))
    return lean.schema, lean.is_whole


def _note(tool: Tool) -> str:
    return f"More: {tool_uri(tool.name)}"


def _add_notes(schema: Mapping[str, Any], notes: Mapping[str, str]) -> dict[str, Any]:
    """Return an input schema whose undescribed arguments are described as in the docstring."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    added = {
        name: {**properties[name], "description": text}
        for name, text in notes.items()
        if text and isinstance(properties.get(name), dict) and "description" not in properties[name]
    }
    return {**schema, "properties": {**properties, **added}} if added else dict(schema)


def _remove_repetitions(entry: _Definition, description: str) -> _Definition:
    """Remove a title that repeats other texts, and hints that have no effect (MCP, server/tools, annotations)."""
    hints = {key: value for key, value in entry["annotations"].items() if key != "title"}
    hints.pop("idempotentHint" if hints.get("readOnlyHint") else "readOnlyHint", None)
    is_repeated = _letters(entry["title"]) in {_letters(entry["name"]), _letters(description)}
    kept = {key: value for key, value in entry.items() if key != "title" or not is_repeated}
    return {**kept, "annotations": hints}


def _compact_input(schema: Schema) -> Schema:
    """Return an input schema that does not forbid other arguments, which the server rejects anyway."""
    schema = compact_schema(schema)
    return {key: value for key, value in schema.items() if key != "additionalProperties" or value is not False}


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _cut_description(text: str, tokens: int) -> str:
    """Return the paragraphs at the beginning of a description that have at most this many tokens."""
    if count_tokens(text) <= tokens:
        return text
    kept: list[str] = []
    for paragraph in text.split("\n\n"):
        if kept and count_tokens("\n\n".join([*kept, paragraph])) > tokens:
            break
        kept.append(paragraph)
    cut = "\n\n".join(kept)
    return cut if count_tokens(cut) <= tokens else first_sentence(cut, max(tokens, 40) * 4)


def _reduce_outputs(
    tools: Iterable[Tool], entries: Mapping[str, _Definition], settings: Settings, reshape: _Reshape
) -> dict[str, _Outputs]:
    """Return the output schemas to list, by the name of the tool; for "auto" none if the list becomes too long.

    An output schema gets the tokens that the rest of its definition has left, and is not listed if that is not enough.
    """
    if settings.output_schemas is False:
        return {}
    limit = _TOKENS_WITH_OUTPUT if settings.output_schemas == "auto" else sys.maxsize
    total = sum(map(count_tokens, entries.values()))
    found: dict[str, _Outputs] = {}
    for tool in tools:
        if total >= limit:
            return {}
        rest = settings.schema_tokens - count_tokens(entries[tool.name])
        pair = [schema and reshape(_reduce_schema(schema, rest, reshape)[0]) for schema in _outputs(tool)]
        size = max(map(count_tokens, filter(None, pair)), default=0)
        if 0 < size <= rest:
            total += size
            found[tool.name] = (pair[0], pair[-1])
    return found if total < limit else {}


def _outputs(tool: Tool) -> _Outputs:
    return tool.output_schema, tool.wrapped_output_schema


def _add_output(tool: Tool, entry: _Definition, outputs: _Outputs) -> tuple[_Definition, _Definition] | None:
    """Return a definition for MCP 2026-07-28 and one for earlier revisions; None if both are the whole one."""
    annotations = {"annotations": entry["annotations"]}
    parts = {key: value for key, value in entry.items() if key != "annotations"}
    first, second = (
        {**parts, **({} if schema is None else {"outputSchema": schema}), **annotations} for schema in outputs
    )
    is_whole = first == tool.whole_definition(wrapped=False) and second == tool.whole_definition(wrapped=True)
    return None if is_whole else (first, second)
