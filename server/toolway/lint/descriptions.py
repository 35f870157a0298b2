"""Rules about the descriptions of tools and arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolway.catalog import EndpointTool
from toolway.catalog.metadata import is_described
from toolway.lint.finding import Finding, Rule
from toolway.lint.survey import Check, Survey, plain, words

__all__ = ["CHECKS"]

_SHORTEST = 40
_LONGEST = 1024
_LONGEST_SENTENCE = 100
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n\s*\n|\n(?=\s*[-*#])")
_LITTLE_WORDS = frozenset({"a", "an", "all", "and", "by", "for", "from", "in", "of", "on", "the", "to", "with"})

D1 = Rule(
    "D1",
    "error",
    "No description",
    "The agent sees only a name, and has to guess when and how to call the tool.",
    "Write a docstring: one sentence on what the endpoint does, then what to know before calling it.",
)
D2 = Rule(
    "D2",
    "warn",
    "Description too short, or with a long first sentence",
    "A short description does not distinguish similar tools, and lists show only the first sentence.",
    "Write at least 40 characters, with a first sentence of at most 100 that states what the tool does.",
)
D3 = Rule(
    "D3",
    "warn",
    "Tools with the same description",
    "An agent cannot choose between them.",
    "Describe the difference, for example with @agent_tool(when_to_use=...), or hide one of the tools.",
)
D4 = Rule(
    "D4",
    "warn",
    "Argument without a description",
    "The agent has to guess the format, the unit and the origin of the value.",
    "Add Query(description=...), Path(description=...) or Field(description=...), with an example value.",
)
D7 = Rule(
    "D7",
    "error",
    "Description longer than 1,024 characters",
    "OpenAI rejects the whole request, and other clients truncate the text.",
    "Keep what an agent needs before the call; move the rest to the arguments' descriptions or to instructions.",
)
D6 = Rule(
    "D6",
    "warn",
    "Deprecated endpoint exposed as a tool",
    "An agent may choose it over its replacement.",
    "Hide it from agents: @agent_tool(hide=True).",
)


def _missing(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if not _is_described(tool, survey):
            yield D1.at(tool, f"agents see only {tool.description!r}, generated from the endpoint's name or path")


def _is_described(tool: EndpointTool, survey: Survey) -> bool:
    return is_described(tool.operation, survey.notes[tool.name])


def _out_of_measure(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if _is_described(tool, survey) and (faults := list(_faults(tool.description))):
            yield D2.at(tool, f"the description {' and '.join(faults)}")


def _faults(text: str) -> Iterator[str]:
    if len(text) < _SHORTEST:
        yield f"has only {len(text)} characters ({text!r})"
    first = _SENTENCE_END.split(text, maxsplit=1)[0]
    if len(first) > _LONGEST_SENTENCE:
        yield f"starts with a sentence of {len(first)} characters"


def _too_long(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if len(tool.description) > _LONGEST:
            yield D7.at(tool, f"the description has {len(tool.description):,} characters")


def _alike(survey: Survey) -> Iterator[Finding]:
    """Descriptions count as the same if they differ only in word order, plurals, articles and prepositions."""
    first: dict[frozenset[str], EndpointTool] = {}
    for tool in survey.tools:
        if _is_described(tool, survey):
            meaning = frozenset(word.rstrip("s") for word in words(tool.description) if word not in _LITTLE_WORDS)
            other = first.setdefault(meaning, tool)
            if other is not tool:
                yield D3.at(tool, f"has the same description as {other.name!r} ({other.operation})")


def _undocumented(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        for argument in tool.arguments.values():
            described = argument.schema.get("description") or plain(argument.schema, tool).get("description")
            if not described:
                yield D4.at(tool, "has no description", argument.name)


def _deprecated(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if tool.operation.deprecated:
            yield D6.at(tool, "the endpoint is deprecated")


CHECKS: dict[Rule, Check] = {
    D1: _missing,
    D2: _out_of_measure,
    D3: _alike,
    D4: _undocumented,
    D6: _deprecated,
    D7: _too_long,
}
