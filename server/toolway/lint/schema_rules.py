"""Rules about schemas that clients reject or that leave an agent guessing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any, cast

from toolway.catalog import EndpointTool
from toolway.catalog.schema.traversal import iter_children, iter_references, iter_schemas
from toolway.lint.finding import Finding, Rule
from toolway.lint.lint_context import Check, LintContext
from toolway.openapi import Schema

__all__ = ["CHECKS"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DEFS = "#/$defs/"
_TYPE_KEYWORDS = frozenset({"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"})
_MAX_VALUES = 250
_OPENAI_PROPERTIES = 5_000
_OPENAI_LEVELS = 10
_OPENAI_CHARACTERS = 120_000
_OPENAI_VALUES = 1_000

S1 = Rule(
    "S1",
    "error",
    "Schema that is not JSON Schema 2020-12",
    "Clients reject the tool or the whole list; the Anthropic API rejects output schemas in an older dialect.",
    "Use what Pydantic generates; check json_schema_extra, openapi_extra, a custom openapi() and Rust-only patterns.",
)
S2 = Rule(
    "S2",
    "warn",
    "Schema construct that some clients reject",
    "Such a client drops the tool, the whole list, or a part of the schema, so the agent cannot call it correctly.",
    "If these clients matter, use flat arguments of one type, lists of one item type, and enums of strings.",
)
S3 = Rule(
    "S3",
    "warn",
    "Enum with more than 250 values",
    "The values alone cost thousands of tokens, and OpenAI limits their total length.",
    "Use a text argument, and an endpoint that looks up the right value.",
)
S4 = Rule(
    "S4",
    "warn",
    "Schema beyond OpenAI's limits for strict tools",
    "OpenAI rejects the whole request if tools are strict.",
    "Use a smaller body: several endpoints, or fewer levels.",
)
S6 = Rule(
    "S6",
    "error",
    "Arguments that differ only in case",
    "Agents and clients confuse them and fill in the wrong one.",
    "Rename one of them with Query(alias=...) or Field(alias=...).",
)
S7 = Rule(
    "S7",
    "warn",
    "Argument without a type, object without properties, list without items",
    "The agent has to invent the content, and the Gemini API rejects lists without items.",
    "Use a Pydantic model instead of dict, Any or the raw Request, and list[str] instead of list.",
)


def _check_validity(context: LintContext) -> Iterator[Finding]:
    known: dict[str, str | None] = {}
    for tool in context.tools:
        for side, schema in (("input", tool.input_schema), ("output", tool.output_schema)):
            for location, part in _iter_parts(schema or {}):
                text = json.dumps(part)
                if text not in known:
                    known[text] = _validation_fault(part)
                if fault := known[text]:
                    yield S1.at(tool, f"the {side} schema{location} {fault}")


def _iter_parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the parts of a schema: its properties and definitions, which tools may share, and the rest."""
    yield "", {key: value for key, value in schema.items() if key not in {"properties", "$defs"}}
    for key in ("properties", "$defs"):
        members: dict[str, Any] = schema.get(key, {})
        yield from ((f" at {name!r}", part) for name, part in members.items() if isinstance(part, dict))


def _validation_fault(schema: Schema) -> str | None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, and every command loads this package
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        location = "/".join(str(step) for step in error.absolute_path)
        return f"is not valid{f' ({location})' if location else ''}: {error.message[:200]}"
    dialect = str(schema.get("$schema", _DIALECT)).removesuffix("#")
    return None if dialect == _DIALECT else f"declares another dialect: {dialect!r}"


def _check_constructs(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        if constructs := list(
            dict.fromkeys(found for node in iter_schemas(tool.input_schema) for found in _iter_constructs(node))
        ):
            recursive = " (recursive)" if "$ref" in constructs and _is_recursive(tool.input_schema) else ""
            shown = ", ".join(f"{found}{recursive}" if found == "$ref" else found for found in constructs)
            yield S2.at(tool, f"has {shown}")


def _iter_constructs(node: Schema) -> Iterator[str]:
    """Yield the constructs that clients are known to reject, mostly the Gemini API and strict validators."""
    yield from (keyword for keyword in ("$ref", "oneOf") if keyword in node)
    if isinstance(node.get("type"), list):
        yield "a list of types"
    variants = iter_children({"anyOf": node.get("anyOf")})
    if any(not {"type", "$ref", "anyOf", "oneOf", "allOf"} & variant.keys() for variant in variants):
        yield "a variant without a type"
    if "prefixItems" in node and "items" not in node:
        yield "prefixItems without items"
    items = node.get("items")
    if isinstance(items, dict) and "anyOf" in items:
        yield "items with anyOf"
    if isinstance(node.get("const"), bool):
        yield f"const: {json.dumps(node['const'])}"
    yield from _iter_enum_constructs(node)


def _iter_enum_constructs(node: Schema) -> Iterator[str]:
    values = _listed(node, "enum")
    kinds: set[type] = {type(value) for value in values}
    if int in kinds:
        yield "an enum of integers"
    if len(kinds) > 1 and "type" not in node:
        yield "an enum of several types without a type"
    if len({json.dumps(value) for value in values}) < len(values):
        yield "an enum with the same value twice"


def _is_recursive(schema: Schema) -> bool:
    definitions: dict[str, Schema] = schema.get("$defs", {})
    inside = {
        name: {_definition_name(reference) for reference in iter_references(entry)}
        for name, entry in definitions.items()
    }
    return any(name in _reachable_names(name, inside) for name in inside)


def _reachable_names(start: str, inside: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    pending = list(inside[start])
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(inside.get(name, ()))
    return found


def _definition_name(reference: str) -> str:
    return reference.removeprefix(_DEFS).replace("~1", "/").replace("~0", "~")


def _check_enum_size(context: LintContext) -> Iterator[Finding]:
    for tool, name, nodes in _iter_arguments(context):
        most = max(map(_count_enum_values, nodes), default=0)
        if most > _MAX_VALUES:
            yield S3.at(tool, f"allows {most:,} values", name)


def _count_enum_values(node: Schema) -> int:
    return len(_listed(node, "enum"))


def _listed(node: Schema, key: str) -> list[Any]:
    """Return the values or names under a keyword, or none if it has the wrong type."""
    value = node.get(key)
    return list(cast("list[Any] | dict[str, Any]", value)) if isinstance(value, list | dict) else []


def _check_openai_limits(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        nodes = list(iter_schemas(tool.input_schema))
        measured = {
            "properties": (sum(len(_listed(node, "properties")) for node in nodes), _OPENAI_PROPERTIES),
            "levels": (_nesting_depth(tool.input_schema), _OPENAI_LEVELS),
            "characters of names and values": (sum(map(_count_characters, nodes)), _OPENAI_CHARACTERS),
            "enum values": (sum(map(_count_enum_values, nodes)), _OPENAI_VALUES),
        }
        beyond = [f"{found:,} {what} (of {limit:,})" for what, (found, limit) in measured.items() if found > limit]
        if beyond:
            yield S4.at(tool, f"has {', '.join(beyond)}")


def _count_characters(node: Schema) -> int:
    values = (*_listed(node, "properties"), *_listed(node, "enum"), *_listed(node, "$defs"))
    return sum(len(value) for value in values if isinstance(value, str))


def _nesting_depth(schema: Schema) -> int:
    """Return the nesting depth of objects and lists; recursive definitions count once."""
    definitions: dict[str, Schema] = schema.get("$defs", {})
    entered: set[str] = set()
    level = [{key: value for key, value in schema.items() if key != "$defs"}]
    for depth in count():
        names = {_definition_name(str(node["$ref"])) for node in _iter_alternatives(level) if "$ref" in node} - entered
        entered |= names
        level = [child for node in _iter_alternatives(level) for child in _iter_nested(node)]
        level += [child for name in names for child in _iter_nested(definitions.get(name, {}))]
        if not level:
            return depth
    raise AssertionError


def _iter_alternatives(nodes: list[Schema]) -> Iterator[Schema]:
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        pending.extend(iter_children({key: node.get(key) for key in ("anyOf", "oneOf", "allOf")}))


def _iter_nested(node: Schema) -> Iterator[Schema]:
    inner = {key: node[key] for key in ("properties", "items", "additionalProperties", "prefixItems") if key in node}
    return iter_children(inner)


def _check_case(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        first: dict[str, str] = {}
        for name in tool.arguments:
            other = first.setdefault(name.lower(), name)
            if other != name:
                yield S6.at(tool, f"differs from {other!r} only in case", name)


def _check_open_arguments(context: LintContext) -> Iterator[Finding]:
    for tool, name, nodes in _iter_arguments(context):
        if not tool.input_schema["properties"][name].keys() & _TYPE_KEYWORDS:
            yield S7.at(tool, "accepts any value", name)
        elif faults := list(dict.fromkeys(fault for node in nodes for fault in _open_constructs(node))):
            yield S7.at(tool, f"has {' and '.join(faults)}", name)


def _open_constructs(node: Schema) -> Iterator[str]:
    kind = node.get("type")
    if kind == "array" and not (node.get("items") or node.get("prefixItems")):
        yield "a list without items"
    if kind == "object" and not (node.get("properties") or isinstance(node.get("additionalProperties"), dict)):
        yield "an object without properties"


def _iter_arguments(context: LintContext) -> Iterator[tuple[EndpointTool, str, list[Schema]]]:
    """Yield each argument with all schemas inside it, including referenced ones."""
    for tool in context.tools:
        for name in tool.arguments:
            yield tool, name, list(_iter_reachable(tool.input_schema, name))


def _iter_reachable(schema: Schema, name: str) -> Iterator[Schema]:
    definitions: dict[str, Schema] = schema.get("$defs", {})
    pending: list[Schema] = [schema["properties"][name]]
    entered: set[str] = set()
    while pending:
        node = pending.pop()
        yield node
        pending.extend(iter_children(node))
        label = _definition_name(str(node.get("$ref", "")))
        if label in definitions and label not in entered:
            entered.add(label)
            pending.append(definitions[label])


CHECKS: dict[Rule, Check] = {
    S1: _check_validity,
    S2: _check_constructs,
    S3: _check_enum_size,
    S4: _check_openai_limits,
    S6: _check_case,
    S7: _check_open_arguments,
}
