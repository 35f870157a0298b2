"""Building of the request that an HTTP client would send for the arguments of a tool."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeAlias, cast
from urllib.parse import quote, quote_plus

from pydantic_core import PydanticUndefined

from toolway.calls.request.form_fields import encode_field, make_field_parts
from toolway.calls.request.multipart import Part, encode_multipart, make_file_part
from toolway.calls.request.null_arguments import drop_nulls
from toolway.calls.request.parameter_styles import (
    serialize_cookie,
    serialize_header,
    serialize_path,
    serialize_query,
)
from toolway.calls.request.text_arguments import parse_json_text
from toolway.calls.request.value_encoding import (
    decode_base64,
    encode_cookie,
    encode_header,
    encode_json,
    encode_text,
    list_values,
)
from toolway.catalog import Argument, BodyPlan, EndpointTool
from toolway.errors import ArgumentError

__all__ = ["Request", "RequestValues", "build_request"]

_Field: TypeAlias = tuple[Argument, Any]
_Body: TypeAlias = tuple[str | None, bytes | None, object]
"""The media type, the bytes, and the value that they encode if they are JSON."""
_NO_BODY: _Body = None, None, PydanticUndefined

_CARRIERS = {"query": "query", "header": "header", "field": "form"}
_LONGEST_NAME = 100
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")


@dataclass(slots=True)
class RequestValues:
    """The values of a request, as an application in this process reads them."""

    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    document: object = PydanticUndefined
    """The value of a JSON body."""
    media_type: str | None = None
    body: bytes | None = None
    strict: bytes | None = None
    """The endpoint's response, once it is known to be strict JSON (see `strict_json`)."""


@dataclass(slots=True)
class Request:
    """A request to the application, independent of a connection."""

    method: str
    path: str
    """The path as text, not percent-encoded."""
    headers: list[tuple[bytes, bytes]]
    body: bytes | None = None
    """None for no body, which differs from an empty one."""
    parts: RequestValues | None = None
    """The values it was built from; None for a redirected request and for a request to a remote API."""
    redirect_query: bytes = b""
    """The query if `parts` is None."""
    encoded_path: str = ""
    """The path as it is sent, if it differs from `path` percent-encoded."""

    @property
    def query(self) -> bytes:
        """The query string, encoded only when it is needed."""
        return self.redirect_query if self.parts is None else _encode_pairs(self.parts.query)


class _ArgumentBuckets:
    """The arguments, sorted by the part of the request that they belong to."""

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


def build_request(tool: EndpointTool, arguments: Mapping[str, Any], *, ignore_unknown: bool = False) -> Request:
    """Return the request that sends these arguments to the tool's endpoint.

    Only values that cannot be sent are rejected here; the endpoint validates the others.

    Raises:
        ArgumentError: an argument is unknown, is missing from the path, cannot be sent exactly, or would reach another
            endpoint.
    """
    buckets = _ArgumentBuckets()
    if tool.null_is_missing:
        arguments = drop_nulls(arguments, tool.input_schema)
    for name, value in arguments.items():
        argument = tool.arguments.get(name)
        if argument is not None:
            if argument.structure is not None:
                value = parse_json_text(name, argument.structure, value)  # noqa: PLW2901 - the parsed value rebuckets the text
            add = _add_value if argument.serialization is None else _add_serialized
            add(buckets, argument, value)
        elif tool.body is not None and tool.body.accepts_extra:
            buckets.fields.append((tool.body.find_field(name), value))
        elif not ignore_unknown:
            raise _unknown_argument(tool, name)
    content_type, body, document = _build_body(tool.body, buckets)
    request = Request(
        method=tool.operation.method,
        path=_build_path(tool, buckets.path),
        headers=_build_headers(buckets, content_type),
        body=body,
        parts=RequestValues(buckets.path, buckets.query, document, content_type, body),
    )
    return _with_encodings(tool, request, buckets) if buckets.encoded_path or buckets.encoded_query else request


def _with_encodings(tool: EndpointTool, request: Request, buckets: _ArgumentBuckets) -> Request:
    """Return a request to a remote API, with the path and query in the styles of its parameters."""
    declared = {parameter.name for parameter in tool.operation.parameters if parameter.location == "query"}
    declared |= tool.operation.credentials.query
    taken: dict[str, Argument] = {}
    for argument, key, _ in buckets.encoded_query:
        is_declared = key != argument.target and key in declared
        if is_declared or taken.setdefault(key, argument) is not argument:
            raise ArgumentError(f"{argument.name!r} must not have the member {key!r}: another parameter has this name")
    query = "&".join([pair for _, _, pair in buckets.encoded_query]).encode("ascii")
    first, *literals = tool.operation.template.literals
    encoded = [buckets.encoded_path[name] for name in tool.operation.template.names]
    path = quote(first) + "".join([value + quote(text) for value, text in zip(encoded, literals, strict=True)])
    return replace(request, parts=None, redirect_query=query, encoded_path=path)


def _encode_pairs(pairs: Sequence[tuple[str, str]]) -> bytes:
    """Return ``a=1&b=2``; most values need no quoting, which would cost more than the rest."""
    return "&".join([f"{_quote(name)}={_quote(value)}" for name, value in pairs]).encode("ascii")


def _quote(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote_plus(text)


def _add_value(buckets: _ArgumentBuckets, argument: Argument, value: object) -> None:
    name, target = argument.name, argument.target
    match argument.location:
        case "path":
            buckets.path[target] = encode_text(name, value)
        case "query":
            buckets.query += [(target, encode_text(name, entry)) for entry in _values_to_send(argument, value)]
        case "header":
            key = target.lower().encode("latin-1")
            buckets.headers.extend((key, encode_header(name, entry)) for entry in _values_to_send(argument, value))
        case "cookie":
            buckets.cookies.extend([encode_cookie(name, target, value)] if value is not None else [])
        case "field":
            buckets.fields.append((argument, value))
        case "body":
            buckets.whole = (argument, value)


def _values_to_send(argument: Argument, value: object) -> list[object]:
    """Return the values to send under one name; an empty list is rejected if the endpoint would use its default."""
    if value == [] and argument.schema.get("default") != []:
        raise ArgumentError(
            f"{argument.name!r} must not be an empty list: a {_CARRIERS[argument.location]} cannot express one, so the "
            "endpoint would use its default. Leave the argument out, or give at least one value."
        )
    return list_values(value)


def _add_serialized(buckets: _ArgumentBuckets, argument: Argument, value: object) -> None:
    """Add a value in the style that the OpenAPI document of a remote API declares."""
    name, target, rule = argument.name, argument.target, argument.serialization
    if rule is None or argument.location in {"field", "body"}:
        _add_value(buckets, argument, value)
    elif argument.location == "path":
        buckets.path[target], buckets.encoded_path[target] = serialize_path(rule, name, target, value)
    elif argument.location == "query":
        pairs = serialize_query(rule, name, target, value)
        buckets.encoded_query += [(argument, key, pair) for key, pair in pairs]
    elif value is not None and argument.location == "header":
        buckets.headers.append((target.lower().encode("latin-1"), serialize_header(rule, name, value)))
    elif value is not None:
        buckets.cookies.append(serialize_cookie(rule, name, target, value))


def _unknown_argument(tool: EndpointTool, name: str) -> ArgumentError:
    for parameter in tool.operation.parameters:
        if parameter.source == "caller" and parameter.name.lower() == name.lower():
            place = f"{parameter.location} {parameter.name!r}"
            return ArgumentError(f"{name!r} is not an argument: its value comes from the {place} of the MCP request")
    name = name[:_LONGEST_NAME]
    near = get_close_matches(name, tool.arguments, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return ArgumentError(f"unknown argument {name!r}{hint} {tool.name} takes: {', '.join(tool.arguments) or 'nothing'}")


def _build_path(tool: EndpointTool, values: dict[str, str]) -> str:
    template = tool.operation.template
    if not template.names:
        return template.text
    for target in template.names:
        text = values.get(target)
        if not text or "/" in text:
            _check_segment(_path_arguments(tool)[target], text, spans=target in template.multi_segment)
    path = template.fill(values)
    if not template.round_trips(path, values) or template.is_shadowed(path):
        shown = _path_arguments(tool)
        given = ", ".join(f"{shown[target]}={values[target]!r}" for target in template.names)
        raise ArgumentError(f"{given} is not accepted: {path!r} would be routed to a different endpoint.")
    return path


def _path_arguments(tool: EndpointTool) -> dict[str, str]:
    """Return the names of the arguments in the path, by placeholder."""
    return {argument.target: argument.name for argument in tool.arguments.values() if argument.location == "path"}


def _check_segment(name: str, text: str | None, *, spans: bool) -> None:
    if text is None:
        raise ArgumentError(f"missing argument {name!r}")
    if not text and not spans:
        raise ArgumentError(f"{name!r} must not be empty")
    if "/" in text and not spans:
        raise ArgumentError(f"{name!r} must not contain '/', got {text!r}")


def _build_headers(buckets: _ArgumentBuckets, content_type: str | None) -> list[tuple[bytes, bytes]]:
    headers = buckets.headers
    if buckets.cookies:
        headers.append((b"cookie", "; ".join(buckets.cookies).encode("latin-1")))
    if content_type is not None:
        headers.append((b"content-type", content_type.encode("latin-1")))
    return headers


def _build_body(plan: BodyPlan | None, buckets: _ArgumentBuckets) -> _Body:
    if plan is None:
        return _NO_BODY
    if buckets.whole is not None and plan.encoding not in {"multipart", "urlencoded"}:
        return _encode_whole_body(plan, *buckets.whole)
    fields = buckets.fields if buckets.whole is None else _form_fields(plan, *buckets.whole)
    if not fields and not plan.required:
        return _NO_BODY
    match plan.encoding:
        case "multipart":
            return *encode_multipart(_build_parts(fields)), PydanticUndefined
        case "urlencoded":
            return plan.media_type, _encode_form(fields), PydanticUndefined
        case _:
            members = {argument.target: value for argument, value in fields}
            return plan.media_type, _encode_object(fields, members), members


def _form_fields(plan: BodyPlan, argument: Argument, value: object) -> list[_Field]:
    """Return the fields of a form that is a single argument."""
    if not isinstance(value, dict):
        raise ArgumentError(f"{argument.name!r} must be an object: the form's fields by name")
    members = cast("dict[str, Any]", value).items()
    return [(plan.find_field(name), entry) for name, entry in members]


def _encode_object(fields: list[_Field], members: dict[str, Any]) -> bytes:
    try:
        return encode_json("arguments", members)
    except ArgumentError:
        for argument, value in fields:  # name the argument in the error
            encode_json(argument.name, value)
        raise


def _encode_form(fields: list[_Field]) -> bytes:
    """Return a URL-encoded form."""
    local = [(argument, value) for argument, value in fields if argument.serialization is None]
    remote = [
        pair
        for argument, value in fields
        if argument.serialization is not None
        for pair in encode_field(argument, argument.serialization, value)
    ]
    return "&".join(remote).encode("ascii") if remote else _encode_pairs(_form_pairs(local))


def _form_pairs(fields: list[_Field]) -> list[tuple[str, str]]:
    return [
        (encode_text(argument.name, argument.target), text)
        for argument, value in fields
        for text in _encode_form_value(argument, value)
    ]


def _encode_form_value(argument: Argument, value: object) -> list[str]:
    if isinstance(value, dict):
        return [encode_json(argument.name, cast("object", value)).decode()]
    return [encode_text(argument.name, entry) for entry in _values_to_send(argument, value)]


def _build_parts(fields: list[_Field]) -> list[Part]:
    parts: list[Part] = []
    for argument, value in fields:
        if argument.serialization is not None:
            parts.extend(make_field_parts(argument, argument.serialization, value))
        elif argument.is_file:
            parts.extend(
                make_file_part(argument.name, argument.target, file) for file in _values_to_send(argument, value)
            )
        else:
            parts.extend(Part(argument.target, text.encode()) for text in _encode_form_value(argument, value))
    return parts


def _encode_whole_body(plan: BodyPlan, argument: Argument, value: object) -> _Body:
    match plan.encoding:
        case _ if argument.is_file:
            part = make_file_part(argument.name, "file", value, plan.media_type)
            return part.content_type, part.content, PydanticUndefined
        case "text":
            return plan.media_type, encode_text(argument.name, value).encode(), PydanticUndefined
        case "bytes":
            return plan.media_type, decode_base64(argument.name, value), PydanticUndefined
        case "any" if isinstance(value, str):
            return "text/plain; charset=utf-8", encode_text(argument.name, value).encode(), PydanticUndefined
        case "any":
            return "application/json", encode_json(argument.name, value), value
        case _:
            return plan.media_type, encode_json(argument.name, value), value
