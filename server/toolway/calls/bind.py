"""From arguments to the request that a browser or an HTTP client would have sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeAlias, cast
from urllib.parse import urlencode

from toolway.calls.encode import base64_bytes, cookie_pair, entries, header_value, json_bytes, plain_text, texts
from toolway.calls.multipart import Part, encode_multipart, file_part
from toolway.catalog import Argument, BodyPlan, Tool
from toolway.errors import ArgumentError

__all__ = ["Request", "bind"]

_Field: TypeAlias = tuple[Argument, Any]

_LONGEST_NAME = 100


@dataclass(slots=True)
class Request:
    """A request to the application, without anything of the connection."""

    method: str
    path: str
    """As text: the values stand in it as they are."""
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes | None = None
    """None sends no body, which is not the same as an empty one."""


@dataclass(slots=True)
class _Places:
    """The arguments, sorted by where they go."""

    path: dict[str, str] = field(default_factory=dict[str, str])
    query: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    cookies: list[str] = field(default_factory=list[str])
    fields: list[_Field] = field(default_factory=list[_Field])
    whole: _Field | None = None


def bind(tool: Tool, arguments: Mapping[str, Any], *, ignore_unknown: bool = False) -> Request:
    """Make the request that carries these arguments to the tool's endpoint.

    Only what cannot be carried is refused here; whether the values are right is for the endpoint to say.

    Raises:
        ArgumentError: an argument is unknown, is missing from the path, cannot be carried exactly, or would reach
            another endpoint.
    """
    places = _Places()
    for name, value in arguments.items():
        argument = tool.arguments.get(name)
        if argument is not None:
            _place(places, argument, value)
        elif tool.body is not None and tool.body.open:
            places.fields.append((Argument(name, "field", name, {}, required=False), value))
        elif not ignore_unknown:
            raise _unknown(tool, name)
    content_type, body = _body(tool.body, places)
    return Request(
        method=tool.operation.method,
        path=_path(tool, places.path),
        query=urlencode(places.query).encode("ascii"),
        headers=_headers(places, content_type),
        body=body,
    )


def _place(places: _Places, argument: Argument, value: object) -> None:
    name, target = argument.name, argument.target
    match argument.place:
        case "path":
            places.path[target] = plain_text(name, value)
        case "query":
            places.query.extend((target, text) for text in texts(name, value))
        case "header":
            key = target.lower().encode("latin-1")
            places.headers.extend((key, header_value(name, entry)) for entry in entries(value))
        case "cookie":
            places.cookies.extend([cookie_pair(name, target, value)] if value is not None else [])
        case "field":
            places.fields.append((argument, value))
        case "body":
            places.whole = (argument, value)


def _unknown(tool: Tool, name: str) -> ArgumentError:
    name = name[:_LONGEST_NAME]
    near = get_close_matches(name, tool.arguments, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return ArgumentError(f"unknown argument {name!r}{hint} {tool.name} takes: {', '.join(tool.arguments) or 'nothing'}")


def _path(tool: Tool, values: dict[str, str]) -> str:
    template = tool.operation.template
    if not template.names:
        return template.text
    shown = {argument.target: argument.name for argument in tool.arguments.values() if argument.place == "path"}
    for target in template.names:
        _check_segment(shown[target], values.get(target), spans=target in template.spanning)
    path = template.fill(values)
    if not template.keeps(path, values) or template.is_taken(path):
        given = ", ".join(f"{shown[target]}={values[target]!r}" for target in template.names)
        raise ArgumentError(f"{given} cannot be used here: the path {path!r} does not lead to this endpoint")
    return path


def _check_segment(name: str, text: str | None, *, spans: bool) -> None:
    if text is None:
        raise ArgumentError(f"missing argument {name!r}")
    if not text and not spans:
        raise ArgumentError(f"{name!r} must not be empty")
    if "/" in text and not spans:
        raise ArgumentError(f"{name!r} must not contain '/', got {text!r}")


def _headers(places: _Places, content_type: str | None) -> list[tuple[bytes, bytes]]:
    headers = places.headers
    if places.cookies:
        headers.append((b"cookie", "; ".join(places.cookies).encode("latin-1")))
    if content_type is not None:
        headers.append((b"content-type", content_type.encode("latin-1")))
    return headers


def _body(plan: BodyPlan | None, places: _Places) -> tuple[str | None, bytes | None]:
    if plan is None:
        return None, None
    if places.whole is not None and plan.encoding not in {"multipart", "urlencoded"}:
        return _whole_body(plan, *places.whole)
    fields = places.fields if places.whole is None else _members(*places.whole)
    if not fields and not plan.required:
        return None, None
    match plan.encoding:
        case "multipart":
            return encode_multipart(_parts(fields))
        case "urlencoded":
            return plan.media_type, urlencode(_form_pairs(fields)).encode("ascii")
        case _:
            return plan.media_type, _object(fields)


def _members(argument: Argument, value: object) -> list[_Field]:
    """The fields of a form that the document does not list."""
    if not isinstance(value, dict):
        raise ArgumentError(f"{argument.name!r} must be an object: the form's fields by name")
    members = cast("dict[str, Any]", value).items()
    return [(Argument(name, "field", name, {}, required=False), entry) for name, entry in members]


def _object(fields: list[_Field]) -> bytes:
    members = {argument.target: value for argument, value in fields}
    try:
        return json_bytes("arguments", members)
    except ArgumentError:
        for argument, value in fields:  # say which of them it was
            json_bytes(argument.name, value)
        raise


def _form_pairs(fields: list[_Field]) -> list[tuple[str, str]]:
    return [
        (plain_text(argument.name, argument.target), text)
        for argument, value in fields
        for text in _form_texts(argument, value)
    ]


def _form_texts(argument: Argument, value: object) -> list[str]:
    if isinstance(value, dict):
        return [json_bytes(argument.name, cast("object", value)).decode()]
    return texts(argument.name, value)


def _parts(fields: list[_Field]) -> list[Part]:
    parts: list[Part] = []
    for argument, value in fields:
        if argument.is_file:
            parts.extend(file_part(argument.name, argument.target, file) for file in entries(value))
        else:
            parts.extend(Part(argument.target, text.encode()) for text in _form_texts(argument, value))
    return parts


def _whole_body(plan: BodyPlan, argument: Argument, value: object) -> tuple[str | None, bytes | None]:
    match plan.encoding:
        case "text":
            return plan.media_type, plain_text(argument.name, value).encode()
        case "bytes":
            return plan.media_type, base64_bytes(argument.name, value)
        case "any" if isinstance(value, str):
            return "text/plain; charset=utf-8", plain_text(argument.name, value).encode()
        case "any":
            return "application/json", json_bytes(argument.name, value)
        case _:
            return plan.media_type, json_bytes(argument.name, value)
