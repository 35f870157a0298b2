"""From a made-up request to the arguments and the credentials of the tool call that stands for it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from requests import PreparedRequest
from schemathesis import Case
from schemathesis.core import NotSet

from toolway.catalog import Tool

__all__ = ["InexpressibleError", "arguments_of", "credentials_of"]


class InexpressibleError(Exception):
    """No tool call stands for this request: it carries what the document does not name, or not as it names it."""


def arguments_of(case: Case, tool: Tool) -> dict[str, Any]:
    """Return the arguments under which an agent would send this request.

    Raises:
        InexpressibleError: there are none.
    """
    arguments = dict([*_parameters(case, tool), *_body(case, tool)])
    try:
        json.dumps(arguments)
    except TypeError as error:
        raise InexpressibleError("bytes where JSON belongs") from error
    return arguments


def credentials_of(request: PreparedRequest, tool: Tool) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers and the query with which the same caller would come to the MCP server."""
    declared = tool.operation.credentials
    sent = {name.lower(): _text(value).strip() for name, value in request.headers.items()}
    of_caller = [entry for entry in tool.operation.parameters if entry.source == "caller"]
    named = (entry.name.lower() for entry in of_caller if entry.location == "header")
    headers = {name: sent[name] for name in ("authorization", *declared.headers, *named) if name in sent}
    cookies = {*declared.cookies, *(entry.name for entry in of_caller if entry.location == "cookie")}
    pairs = [pair for pair in sent.get("cookie", "").split("; ") if pair.partition("=")[0] in cookies]
    if pairs:
        headers["cookie"] = "; ".join(pairs)
    query = dict(parse_qsl(urlsplit(_text(request.url or "")).query, keep_blank_values=True))
    return headers, {name: query[name] for name in declared.query if name in query}


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _parameters(case: Case, tool: Tool) -> Iterator[tuple[str, Any]]:
    places = {
        "path": {name: _decoded(value) for name, value in (case.path_parameters or {}).items()},
        "query": dict(case.query or {}),
        "header": {name.lower(): value for name, value in (case.headers or {}).items()},
        "cookie": dict(case.cookies or {}),
    }
    if any(str(value).endswith("\n") for value in places["path"].values()):
        raise InexpressibleError("a line break at the end of a path, which the router drops")
    known = {argument.target for argument in tool.arguments.values() if argument.location == "query"}
    if places["query"].keys() - known - tool.operation.credentials.query:
        raise InexpressibleError("a query parameter that the document does not name")
    for argument in tool.arguments.values():
        values = places.get(argument.location, {})
        target = argument.target.lower() if argument.location == "header" else argument.target
        if target in values:
            yield argument.name, _sendable(values[target])


def _decoded(value: Any) -> Any:
    return unquote(value) if isinstance(value, str) else value


def _sendable(value: Any) -> Any:
    """Only what every HTTP client writes alike: texts, numbers, and lists of them."""
    entries = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, str | int | float) for entry in entries) or value == []:
        raise InexpressibleError("a parameter without one way of writing it")
    return value


def _body(case: Case, tool: Tool) -> Iterator[tuple[str, Any]]:
    if isinstance(case.body, NotSet):
        return
    if tool.body is None or not (case.media_type or "").startswith(tool.body.media_type.partition(";")[0] or "*"):
        raise InexpressibleError("a body of another kind")
    whole = [argument for argument in tool.arguments.values() if argument.location == "body"]
    if whole:
        yield whole[0].name, _whole(case.body, tool)
    elif isinstance(case.body, Mapping):
        yield from _members(case.body, tool)
    else:
        raise InexpressibleError("no object where the fields of one are arguments")


def _whole(body: Any, tool: Tool) -> Any:
    assert tool.body is not None
    if tool.body.encoding == "text" and not isinstance(body, str):
        raise InexpressibleError("no text where a text belongs")
    if tool.body.encoding == "bytes":
        return base64.b64encode(body if isinstance(body, bytes) else str(body).encode()).decode()
    return body


def _members(body: Mapping[str, Any], tool: Tool) -> Iterator[tuple[str, Any]]:
    assert tool.body is not None
    fields = {argument.target: argument for argument in tool.arguments.values() if argument.location == "field"}
    for target, value in body.items():
        if target in fields:
            if value is None and tool.body.encoding == "urlencoded":
                raise InexpressibleError("null in a form")
            if tool.body.encoding == "urlencoded" and isinstance(value, list):
                _sendable(value)  # HTTP clients differ in how they write a list of objects
            yield fields[target].name, _member(value, is_file=fields[target].is_file)
        elif tool.body.accepts_extra and target not in tool.arguments:
            yield target, value
        else:
            raise InexpressibleError("a member that the document does not name")


def _member(value: Any, *, is_file: bool) -> Any:
    if not is_file:
        return value
    if isinstance(value, list):
        return [_member(entry, is_file=True) for entry in value]
    if not isinstance(value, bytes):
        raise InexpressibleError("no file where a file belongs")
    return {"filename": "file", "data": base64.b64encode(value).decode()}
