"""Every GET operation of an application, called with made-up values for what it requires."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from applications import Call

__all__ = ["UnmadeError", "made_up"]

_STRINGS = {
    "date": "2026-01-02",
    "date-time": "2026-01-02T03:04:05Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "a@b.c",
    "uri": "http://127.0.0.1:9/nothing",
}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_DEPARTING = ("signout", "logout", "shutdown", "clear", "reset", "delete")
"""GET operations that change what the next call meets."""


class UnmadeError(Exception):
    """No value can be made up for a parameter."""


def made_up(document: Mapping[str, Any], prefix: str, tools: Mapping[tuple[str, str], str]) -> Iterator[Call]:
    """Make a call of each GET operation of a document; `tools` are by method and path."""
    for path, item in document.get("paths", {}).items():
        tool = tools.get(("GET", prefix + path))
        if tool and "get" in item and not any(word in path.lower() for word in _DEPARTING):
            parameters = [*item.get("parameters", []), *item["get"].get("parameters", [])]
            declared = {parameter["name"] for parameter in parameters}
            parameters += [_undeclared(name) for name in _PLACEHOLDER.findall(path) if name not in declared]
            try:
                yield _call(tool, prefix + path, [each for each in parameters if each.get("required")], document)
            except UnmadeError:
                continue


def _undeclared(name: str) -> dict[str, Any]:
    """A part of the path that the endpoint does not take."""
    return {"name": name, "in": "path", "required": True}


def _call(tool: str, path: str, parameters: list[dict[str, Any]], document: Mapping[str, Any]) -> Call:
    arguments: dict[str, Any] = {}
    query: dict[str, Any] = {}
    for parameter in parameters:
        if parameter["in"] not in ("path", "query"):
            raise UnmadeError(parameter["name"])
        name = parameter["name"]
        arguments[name] = value = _value(parameter.get("schema", {}), document)
        if parameter["in"] == "query":
            query[name] = [_text(each) for each in value] if isinstance(value, list) else _text(value)
        path = path.replace(f"{{{name}}}", quote(_text(value), safe=""))
    return Call(tool, arguments, f"GET {path}" + (f"?{urlencode(query, doseq=True)}" if query else ""))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for given in ("const", "default"):
        if schema.get(given) is not None:
            return schema[given]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        for variant in schema.get(choice, []):
            if variant.get("type") != "null":
                return _value(variant, document)
    return _plain(schema, document)


def _plain(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    match schema.get("type", "string"):
        case "string":
            return _STRINGS.get(schema.get("format", ""), "nothing")
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "array":
            return [_value(schema.get("items", {}), document)]
        case kind:
            raise UnmadeError(str(kind))
