"""Rules about the descriptions of tools and arguments, including text that instructs the model or is invisible."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from toolway.catalog import EndpointTool
from toolway.catalog.metadata import is_described
from toolway.catalog.schema.sanitize import strip_invisible
from toolway.catalog.schema.traversal import iter_children
from toolway.lint.finding import Finding, Rule
from toolway.lint.lint_context import Check, LintContext, resolve, split_words
from toolway.openapi import Schema

__all__ = ["CHECKS"]

_MIN_LENGTH = 40
_MAX_LENGTH = 1024
_MAX_SENTENCE = 100
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n\s*\n|\n(?=\s*[-*#])")
_STOP_WORDS = frozenset({"a", "an", "all", "and", "by", "for", "from", "in", "of", "on", "the", "to", "with"})

_COMPONENTS = "#/components/schemas/"
# A joiner between non-ASCII letters belongs to the script or to an emoji.
_JOINERS = re.compile(r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")
_INSTRUCTIONS = re.compile(
    "|".join(
        (
            (
                r"\b(?:ignore|disregard|forget)\s+(?:(?:all|any|the|your)\s+)*"
                r"(?:previous|prior|earlier|above|preceding|other|system)\s+"
                r"(?:instruction|prompt|rule|message|direction|tool)s?"
            ),
            (
                r"\b(?:before|after|when|instead\s+of)\s+(?:using|calling)\s+"
                r"(?:this|any|every|all|the\s+other)(?:\s+other)?\s+tools?\b"
            ),
            (
                r"\b(?:do\s+not|don't|never)\s+(?:tell|inform|(?:mention|reveal|show)\b.{0,40}\bto)\s+"
                r"(?:the\s+)?(?:user|human|customer)"
            ),
            r"\bwithout\s+(?:telling|informing|asking)\s+the\s+(?:user|human)",
            r"</?\s*(?:important|system|instructions?|secret|hidden|assistant)\s*>",
            (
                r"\b(?:reveal|print|repeat|show|output|send|leak|override)\s+"
                r"(?:\w+\s+){0,2}?your\s+(?:\w+\s+)?system\s+prompt\b"
            ),
            r"\byou\s+are\s+now\s+an?\s+(?:\w+\s+)?(?:assistant|ai|agent|model)\b",
            r"~/\.(?:ssh|aws|cursor|config|kube)\b",
            r"\bid_rsa\b",
            r"/etc/(?:passwd|shadow)\b",
        )
    ),
    re.IGNORECASE,
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_.-])[A-Za-z0-9+/]{80,}={0,2}")
_MARKER_TEXTS = ("title", "description", "when_to_use")

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
D5 = Rule(
    "D5",
    "error",
    "Hidden characters, or instructions to the model, in a description",
    "Tools are poisoned with text that an agent obeys and people do not see; clients and scanners reject them.",
    "Describe the endpoint in plain text, for people and agents alike.",
)
D6 = Rule(
    "D6",
    "warn",
    "Deprecated endpoint exposed as a tool",
    "An agent may choose it over its replacement.",
    "Hide it from agents: @agent_tool(hide=True).",
)
D7 = Rule(
    "D7",
    "error",
    "Description longer than 1,024 characters",
    "OpenAI rejects the whole request, and other clients truncate the text.",
    "Keep what an agent needs before the call; move the rest to the arguments' descriptions or to instructions.",
)


def _check_presence(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        if not _is_described(tool, context):
            yield D1.at(tool, f"agents see only {tool.description!r}, generated from the endpoint's name or path")


def _is_described(tool: EndpointTool, context: LintContext) -> bool:
    return is_described(tool.operation, context.notes[tool.name])


def _check_length(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        if _is_described(tool, context) and (faults := list(_length_faults(tool.description))):
            yield D2.at(tool, f"the description {' and '.join(faults)}")


def _length_faults(text: str) -> Iterator[str]:
    if len(text) < _MIN_LENGTH:
        yield f"has only {len(text)} characters ({text!r})"
    first = _SENTENCE_END.split(text, maxsplit=1)[0]
    if len(first) > _MAX_SENTENCE:
        yield f"starts with a sentence of {len(first)} characters"


def _check_maximum_length(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        if len(tool.description) > _MAX_LENGTH:
            yield D7.at(tool, f"the description has {len(tool.description):,} characters")


def _check_duplicates(context: LintContext) -> Iterator[Finding]:
    """Descriptions count as the same if they differ only in word order, plurals, articles and prepositions."""
    first: dict[frozenset[str], EndpointTool] = {}
    for tool in context.tools:
        if _is_described(tool, context):
            significant = frozenset(
                word.rstrip("s") for word in split_words(tool.description) if word not in _STOP_WORDS
            )
            other = first.setdefault(significant, tool)
            if other is not tool:
                yield D3.at(tool, f"has the same description as {other.name!r} ({other.operation})")


def _check_arguments(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        for argument in tool.arguments.values():
            described = argument.schema.get("description") or resolve(argument.schema, tool).get("description")
            if not described:
                yield D4.at(tool, "has no description", argument.name)


def _check_deprecated(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        if tool.operation.deprecated:
            yield D6.at(tool, "the endpoint is deprecated")


def _check_injection(context: LintContext) -> Iterator[Finding]:
    """Check the original texts; the catalog removes invisible characters before agents see them."""
    known: dict[str, tuple[str, ...]] = {}
    for tool in context.tools:
        found: set[tuple[str | None, str]] = set()
        for parameter, text in _iter_texts(tool, context.notes[tool.name]):
            if text not in known:
                known[text] = tuple(_injection_faults(text))
            found.update((parameter, fault) for fault in known[text])
        for parameter, fault in sorted(found, key=str):
            yield D5.at(tool, fault, parameter)


def _injection_faults(text: str) -> Iterator[str]:
    plain = _JOINERS.sub("", text.replace("\r\n", "\n"))
    if hidden := sorted(set(plain) - set(strip_invisible(plain))):
        yield f"contains the hidden characters {', '.join(f'U+{ord(character):04X}' for character in hidden[:5])}"
    if instruction := _INSTRUCTIONS.search(strip_invisible(plain)):
        yield f"instructs the model: {' '.join(instruction[0].split())!r}"
    if blob := next(filter(_is_base64, _BASE64.findall(plain)), None):
        yield f"contains {len(blob)} characters that look like base64: {blob[:16]!r}..."


def _is_base64(text: str) -> bool:
    """Return whether text is base64 rather than a long path or a hexadecimal number."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(any(map(kind, text)) for kind in kinds) and text.count("/") <= len(text) // 16


def _iter_texts(tool: EndpointTool, note: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """Yield each original text about a tool, with the name of the argument it describes, if any."""
    operation = tool.operation
    written = (operation.summary, operation.description, *(note.get(key) for key in _MARKER_TEXTS))
    yield from ((None, text) for text in written if text)
    for argument in tool.arguments.values():
        yield from ((argument.name, text) for text in _iter_schema_texts(argument.schema, operation.components))
    for response in operation.responses:
        if response.status.startswith("2") and response.schema:
            yield from ((None, text) for text in _iter_schema_texts(response.schema, operation.components))


def _iter_schema_texts(schema: Schema, components: Mapping[str, Schema]) -> Iterator[str]:
    pending, entered = [schema], set[str]()
    while pending:
        node = pending.pop()
        yield from _iter_node_texts(node)
        pending.extend(iter_children(node))
        name = str(node.get("$ref", "")).removeprefix(_COMPONENTS)
        if name not in entered and isinstance(shared := components.get(name), dict):
            entered.add(name)
            pending.append(shared)


def _iter_node_texts(node: Schema) -> Iterator[str]:
    values = (node.get("title"), node.get("description"), node.get("default"), *_iter_values(node, "enum", "examples"))
    yield from (value for value in values if isinstance(value, str))
    properties = node.get("properties")
    yield from map(str, cast("dict[str, Any]", properties) if isinstance(properties, dict) else ())


def _iter_values(node: Schema, *keys: str) -> Iterator[Any]:
    for key in keys:
        if isinstance(values := node.get(key), list):
            yield from cast("list[Any]", values)


CHECKS: dict[Rule, Check] = {
    D1: _check_presence,
    D2: _check_length,
    D3: _check_duplicates,
    D4: _check_arguments,
    D5: _check_injection,
    D6: _check_deprecated,
    D7: _check_maximum_length,
}
