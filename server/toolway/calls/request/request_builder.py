"""From arguments to the request that a browser or an HTTP client would have sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeAlias, cast
from urllib.parse import quote, quote_plus

from pydantic_core import PydanticUndefined

from toolway.calls.request.form_fields import field_parts, field_texts
from toolway.calls.request.multipart import Part, encode_multipart, file_part
from toolway.calls.request.parameter_styles import cookie_pair as styled_cookie_pair
from toolway.calls.request.parameter_styles import header_line, path_value, query_pairs
from toolway.calls.request.text_arguments import parse_json_text
from toolway.calls.request.value_encoding import (
    base64_bytes,
    cookie_pair,
    entries,
    header_value,
    json_bytes,
    plain_text,
)
from toolway.catalog import Argument, BodyPlan, Tool
from toolway.errors import ArgumentError

__all__ = ["Request", "RequestValues", "bind"]

_Field: TypeAlias = tuple[Argument, Any]
_Body: TypeAlias = tuple[str | None, bytes | None, object]
"""The media type, the bytes, and the JSON in them, if that is what they are."""
_NO_BODY: _Body = None, None, PydanticUndefined

_CARRIERS = {"query": "query", "header": "header", "field": "form"}
_LONGEST_NAME = 100
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")


@dataclass(slots=True)
class RequestValues:
    """The values of a request, as an application will have read them."""

    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    document: object = PydanticUndefined
    """The JSON of the body."""
    media_type: str | None = None
    body: bytes | None = None
    strict: bytes | None = None
    """What the endpoint has answered, once it is known to have written strict JSON (see `strictness`)."""


@dataclass(slots=True)
class Request:
    """A request to the application, without anything of the connection."""

    method: str
    path: str
    """As text: the values stand in it as they are."""
    headers: list[tuple[bytes, bytes]]
    body: bytes | None = None
    """None sends no body, which is not the same as an empty one."""
    parts: RequestValues | None = None
    """What it was made of; None for one to which an application has led, and for one to a remote API."""
    redirect_query: bytes = b""
    """The query of such a one, or of one to a remote API."""
    encoded_path: str = ""
    """The path as it is sent, where percent-encoding `path` does not give it."""

    @property
    def query(self) -> bytes:
        """Written when it is needed, as it takes its time."""
        return self.redirect_query if self.parts is None else _pairs(self.parts.query)


class _ArgumentBuckets:
    """The arguments, sorted by where they go."""

    __slots__ = ("cookies", "encoded_path", "encoded_query", "fields", "headers", "path", "query", "whole")

    def __init__(self) -> None:
        self.path: dict[str, str] = {}
        self.encoded_path: dict[str, str] = {}
        self.encoded_query: list[tuple[Argument, str, str]] = []
        self.query: list[tuple[str, str]] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.cookies: list[str] = []
        self.fields: list[_Field] = []
        self.whole: _Field | None = None


def bind(tool: Tool, arguments: Mapping[str, Any], *, ignore_unknown: bool = False) -> Request:
    """Make the request that carries these arguments to the tool's endpoint.

    Only what cannot be carried is refused here; whether the values are right is for the endpoint to say.

    Raises:
        ArgumentError: an argument is unknown, is missing from the path, cannot be carried exactly, or would reach
            another endpoint.
    """
    places = _ArgumentBuckets()
    for name, value in arguments.items():
        argument = tool.arguments.get(name)
        if argument is not None:
            if argument.structure is not None:
                value = parse_json_text(name, argument.structure, value)  # noqa: PLW2901 - see the function
            place = _place if argument.serialization is None else _place_styled
            place(places, argument, value)
        elif tool.body is not None and tool.body.open:
            places.fields.append((tool.body.member(name), value))
        elif not ignore_unknown:
            raise _unknown(tool, name)
    content_type, body, document = _body(tool.body, places)
    request = Request(
        method=tool.operation.method,
        path=_path(tool, places.path),
        headers=_headers(places, content_type),
        body=body,
        parts=RequestValues(places.path, places.query, document, content_type, body),
    )
    return _with_encodings(tool, request, places) if places.encoded_path or places.encoded_query else request


def _with_encodings(tool: Tool, request: Request, places: _ArgumentBuckets) -> Request:
    """Return a request to a remote API, with its path and query as the styles of its parameters have encoded them."""
    declared = {parameter.name for parameter in tool.operation.parameters if parameter.location == "query"}
    declared |= tool.operation.credentials.query
    taken: dict[str, Argument] = {}
    for argument, key, _ in places.encoded_query:
        is_declared = key != argument.target and key in declared
        if is_declared or taken.setdefault(key, argument) is not argument:
            raise ArgumentError(f"{argument.name!r} must not have the member {key!r}: another parameter has this name")
    query = "&".join([pair for _, _, pair in places.encoded_query]).encode("ascii")
    first, *literals = tool.operation.template.literals
    encoded = [places.encoded_path[name] for name in tool.operation.template.names]
    path = quote(first) + "".join([value + quote(text) for value, text in zip(encoded, literals, strict=True)])
    return replace(request, parts=None, redirect_query=query, encoded_path=path)


def _pairs(pairs: Sequence[tuple[str, str]]) -> bytes:
    """Write ``a=1&b=2``; most values need no quoting, which costs more than everything else here."""
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in pairs]).encode("ascii")


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote_plus(text)


def _place(places: _ArgumentBuckets, argument: Argument, value: object) -> None:
    name, target = argument.name, argument.target
    match argument.place:
        case "path":
            places.path[target] = plain_text(name, value)
        case "query":
            places.query += [(target, plain_text(name, entry)) for entry in _several(argument, value)]
        case "header":
            key = target.lower().encode("latin-1")
            places.headers.extend((key, header_value(name, entry)) for entry in _several(argument, value))
        case "cookie":
            places.cookies.extend([cookie_pair(name, target, value)] if value is not None else [])
        case "field":
            places.fields.append((argument, value))
        case "body":
            places.whole = (argument, value)


def _several(argument: Argument, value: object) -> list[object]:
    """Return the values to send under one name; without any, the endpoint would use its default."""
    if value == [] and argument.schema.get("default") != []:
        raise ArgumentError(
            f"{argument.name!r} must not be an empty list: a {_CARRIERS[argument.place]} cannot carry one, so the "
            "endpoint would use its default. Leave the argument out, or give at least one value."
        )
    return entries(value)


def _place_styled(places: _ArgumentBuckets, argument: Argument, value: object) -> None:
    """Place a value as the OpenAPI document of a remote API says."""
    name, target, rule = argument.name, argument.target, argument.serialization
    if rule is None or argument.place in {"field", "body"}:
        _place(places, argument, value)
    elif argument.place == "path":
        places.path[target], places.encoded_path[target] = path_value(rule, name, target, value)
    elif argument.place == "query":
        pairs = query_pairs(rule, name, target, value)
        places.encoded_query += [(argument, key, pair) for key, pair in pairs]
    elif value is not None and argument.place == "header":
        places.headers.append((target.lower().encode("latin-1"), header_line(rule, name, value)))
    elif value is not None:
        places.cookies.append(styled_cookie_pair(rule, name, target, value))


def _unknown(tool: Tool, name: str) -> ArgumentError:
    for parameter in tool.operation.parameters:
        if parameter.source == "caller" and parameter.name.lower() == name.lower():
            place = f"{parameter.location} {parameter.name!r}"
            return ArgumentError(f"{name!r} is not an argument: its value is that of the {place} of the MCP request")
    name = name[:_LONGEST_NAME]
    near = get_close_matches(name, tool.arguments, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return ArgumentError(f"unknown argument {name!r}{hint} {tool.name} takes: {', '.join(tool.arguments) or 'nothing'}")


def _path(tool: Tool, values: dict[str, str]) -> str:
    template = tool.operation.template
    if not template.names:
        return template.text
    for target in template.names:
        text = values.get(target)
        if not text or "/" in text:
            _check_segment(_shown(tool)[target], text, spans=target in template.multi_segment)
    path = template.fill(values)
    if not template.round_trips(path, values) or template.is_shadowed(path):
        shown = _shown(tool)
        given = ", ".join(f"{shown[target]}={values[target]!r}" for target in template.names)
        raise ArgumentError(f"{given} cannot be used here: the path {path!r} does not lead to this endpoint")
    return path


def _shown(tool: Tool) -> dict[str, str]:
    """The names of the path's values, as arguments."""
    return {argument.target: argument.name for argument in tool.arguments.values() if argument.place == "path"}


def _check_segment(name: str, text: str | None, *, spans: bool) -> None:
    if text is None:
        raise ArgumentError(f"missing argument {name!r}")
    if not text and not spans:
        raise ArgumentError(f"{name!r} must not be empty")
    if "/" in text and not spans:
        raise ArgumentError(f"{name!r} must not contain '/', got {text!r}")


def _headers(places: _ArgumentBuckets, content_type: str | None) -> list[tuple[bytes, bytes]]:
    headers = places.headers
    if places.cookies:
        headers.append((b"cookie", "; ".join(places.cookies).encode("latin-1")))
    if content_type is not None:
        headers.append((b"content-type", content_type.encode("latin-1")))
    return headers


def _body(plan: BodyPlan | None, places: _ArgumentBuckets) -> _Body:
    if plan is None:
        return _NO_BODY
    if places.whole is not None and plan.encoding not in {"multipart", "urlencoded"}:
        return _whole_body(plan, *places.whole)
    fields = places.fields if places.whole is None else _members(plan, *places.whole)
    if not fields and not plan.required:
        return _NO_BODY
    match plan.encoding:
        case "multipart":
            return *encode_multipart(_parts(fields)), PydanticUndefined
        case "urlencoded":
            return plan.media_type, _form(fields), PydanticUndefined
        case _:
            members = {argument.target: value for argument, value in fields}
            return plan.media_type, _object(fields, members), members


def _members(plan: BodyPlan, argument: Argument, value: object) -> list[_Field]:
    """Return the fields of a form that is one argument."""
    if not isinstance(value, dict):
        raise ArgumentError(f"{argument.name!r} must be an object: the form's fields by name")
    members = cast("dict[str, Any]", value).items()
    return [(plan.member(name), entry) for name, entry in members]


def _object(fields: list[_Field], members: dict[str, Any]) -> bytes:
    try:
        return json_bytes("arguments", members)
    except ArgumentError:
        for argument, value in fields:  # say which of them it was
            json_bytes(argument.name, value)
        raise


def _form(fields: list[_Field]) -> bytes:
    """Write a URL-encoded form."""
    local = [(argument, value) for argument, value in fields if argument.serialization is None]
    remote = [
        pair
        for argument, value in fields
        if argument.serialization is not None
        for pair in field_texts(argument, argument.serialization, value)
    ]
    return "&".join(remote).encode("ascii") if remote else _pairs(_form_pairs(local))


def _form_pairs(fields: list[_Field]) -> list[tuple[str, str]]:
    return [
        (plain_text(argument.name, argument.target), text)
        for argument, value in fields
        for text in _form_texts(argument, value)
    ]


def _form_texts(argument: Argument, value: object) -> list[str]:
    if isinstance(value, dict):
        return [json_bytes(argument.name, cast("object", value)).decode()]
    return [plain_text(argument.name, entry) for entry in _several(argument, value)]


def _parts(fields: list[_Field]) -> list[Part]:
    parts: list[Part] = []
    for argument, value in fields:
        if argument.serialization is not None:
            parts.extend(field_parts(argument, argument.serialization, value))
        elif argument.is_file:
            parts.extend(file_part(argument.name, argument.target, file) for file in _several(argument, value))
        else:
            parts.extend(Part(argument.target, text.encode()) for text in _form_texts(argument, value))
    return parts


def _whole_body(plan: BodyPlan, argument: Argument, value: object) -> _Body:
    match plan.encoding:
        case _ if argument.is_file:
            part = file_part(argument.name, "file", value, plan.media_type)
            return part.content_type, part.content, PydanticUndefined
        case "text":
            return plan.media_type, plain_text(argument.name, value).encode(), PydanticUndefined
        case "bytes":
            return plan.media_type, base64_bytes(argument.name, value), PydanticUndefined
        case "any" if isinstance(value, str):
            return "text/plain; charset=utf-8", plain_text(argument.name, value).encode(), PydanticUndefined
        case "any":
            return "application/json", json_bytes(argument.name, value), value
        case _:
            return plan.media_type, json_bytes(argument.name, value), value
