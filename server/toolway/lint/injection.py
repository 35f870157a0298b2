"""Rule about text that instructs the model, or that people cannot see.

The catalog removes invisible characters before agents see them; this rule reports them to the author.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from toolway.catalog import EndpointTool
from toolway.catalog.schema.sanitize import strip_invisible
from toolway.catalog.schema.traversal import iter_children
from toolway.lint.finding import Finding, Rule
from toolway.lint.survey import Check, Survey
from toolway.openapi import Schema

__all__ = ["CHECKS"]

_COMPONENTS = "#/components/schemas/"
# A joiner between non-ASCII letters belongs to the script or to an emoji.
_JOINERS = re.compile(r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")
_ORDERS = re.compile(
    r"""
      \b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+|the\s+|your\s+)*
        (?:previous|prior|earlier|above|preceding|other|system)\s+(?:instruction|prompt|rule|message|direction|tool)s?
    | \b(?:before|after|when|instead\s+of)\s+(?:using|calling)\s+
        (?:this|any|every|all|the\s+other)(?:\s+other)?\s+tools?\b
    | \b(?:do\s+not|don't|never)\s+(?:tell|inform|mention\b.{0,40}\bto|reveal\b.{0,40}\bto|show\b.{0,40}\bto)\s+
        (?:the\s+)?(?:user|human|customer)
    | \bwithout\s+(?:telling|informing|asking)\s+the\s+(?:user|human)
    | </?\s*(?:important|system|instructions?|secret|hidden|assistant)\s*>
    | \b(?:reveal|print|repeat|show|output|send|leak|override)\s+(?:\w+\s+){0,2}?your\s+(?:\w+\s+)?system\s+prompt\b
    | \byou\s+are\s+now\s+an?\s+(?:\w+\s+)?(?:assistant|ai|agent|model)\b
    | ~/\.(?:ssh|aws|cursor|config|kube)\b | \bid_rsa\b | /etc/(?:passwd|shadow)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_BLOB = re.compile(r"(?<![A-Za-z0-9+/=_.-])[A-Za-z0-9+/]{80,}={0,2}")

D5 = Rule(
    "D5",
    "error",
    "Hidden characters, or instructions to the model, in a description",
    "Tools are poisoned with text that an agent obeys and people do not see; clients and scanners reject them.",
    "Describe the endpoint in plain text, for people and agents alike.",
)


def _poisoned(survey: Survey) -> Iterator[Finding]:
    known: dict[str, tuple[str, ...]] = {}
    for tool in survey.tools:
        said: set[tuple[str | None, str]] = set()
        for parameter, text in _texts(tool, survey.notes[tool.name]):
            if text not in known:
                known[text] = tuple(_faults(text))
            said.update((parameter, fault) for fault in known[text])
        for parameter, fault in sorted(said, key=str):
            yield D5.at(tool, fault, parameter)


def _faults(text: str) -> Iterator[str]:
    plain = _JOINERS.sub("", text.replace("\r\n", "\n"))
    if hidden := sorted(set(plain) - set(strip_invisible(plain))):
        yield f"contains the hidden characters {', '.join(f'U+{ord(sign):04X}' for sign in hidden[:5])}"
    if order := _ORDERS.search(strip_invisible(plain)):
        yield f"instructs the model: {' '.join(order[0].split())!r}"
    if blob := next(filter(_is_encoded, _BLOB.findall(plain)), None):
        yield f"contains {len(blob)} characters that look like base64: {blob[:16]!r}..."


def _is_encoded(text: str) -> bool:
    """Return whether text is base64 rather than a long path or a hexadecimal number."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(any(map(kind, text)) for kind in kinds) and text.count("/") <= len(text) // 16


def _texts(tool: EndpointTool, note: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """Yield each original text about a tool, with the name of the argument it describes, if any."""
    operation = tool.operation
    written = (operation.summary, operation.description, *(note.get(key) for key in _NOTED))
    yield from ((None, text) for text in written if text)
    for argument in tool.arguments.values():
        yield from ((argument.name, text) for text in _schema_texts(argument.schema, operation.components))
    for response in operation.responses:
        if response.status.startswith("2") and response.schema:
            yield from ((None, text) for text in _schema_texts(response.schema, operation.components))


_NOTED = ("title", "description", "when_to_use")


def _schema_texts(schema: Schema, components: Mapping[str, Schema]) -> Iterator[str]:
    pending, entered = [schema], set[str]()
    while pending:
        node = pending.pop()
        yield from _node_texts(node)
        pending.extend(iter_children(node))
        name = str(node.get("$ref", "")).removeprefix(_COMPONENTS)
        if name not in entered and isinstance(shared := components.get(name), dict):
            entered.add(name)
            pending.append(shared)


def _node_texts(node: Schema) -> Iterator[str]:
    values = (node.get("title"), node.get("description"), node.get("default"), *_listed(node, "enum", "examples"))
    yield from (value for value in values if isinstance(value, str))
    properties = node.get("properties")
    yield from map(str, cast("dict[str, Any]", properties) if isinstance(properties, dict) else ())


def _listed(node: Schema, *keys: str) -> Iterator[Any]:
    for key in keys:
        if isinstance(values := node.get(key), list):
            yield from cast("list[Any]", values)


CHECKS: dict[Rule, Check] = {D5: _poisoned}
