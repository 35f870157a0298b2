"""Results for failed calls, with messages that a caller can act on.

A 4xx keeps its text, and so does a 501 to 599 that the application wrote. For a 500 or an exception, the caller gets
only a reference id; the log has the details under that id.
"""

from __future__ import annotations

import http
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, cast

from fastapi import HTTPException
from pydantic_core import from_json

from toolway.calls.reply import Reply
from toolway.calls.response.outcome import Outcome
from toolway.catalog import Argument, EndpointTool
from toolway.content import TextContent
from toolway.errors import ArgumentError
from toolway.openapi import Parameter

__all__ = [
    "is_written_for_callers",
    "reason_phrase",
    "report_client_error",
    "report_https_redirect",
    "report_incomplete_response",
    "report_internal_error",
    "report_invalid_argument",
    "report_server_error",
    "report_unanswered_question",
    "report_unfollowed_redirect",
]

logger = logging.getLogger("toolway.calls")

_LONGEST = 4000
"""The maximum length of an error's text, in characters."""
_MOST_PROBLEMS = 20
_CALLER_PLACES = ("header", "cookie")
_LONGEST_HEADER = 100


def report_invalid_argument(error: ArgumentError) -> Outcome:
    """Return the error for arguments that cannot be sent to the endpoint."""
    return _failure(f"Invalid arguments: {error}", status=None, detail=str(error)[:_LONGEST])


def report_unanswered_question(error: HTTPException) -> Outcome:
    """Return the error for a question before the call that was not answered, or not confirmed."""
    return _failure(str(error.detail), status=error.status_code, detail=error.detail)


def report_client_error(tool: EndpointTool, reply: Reply) -> Outcome:
    """Return the error for a 4xx."""
    body = _parsed(reply.body)
    detail: Any = cast("Mapping[str, Any]", body).get("detail", body) if isinstance(body, Mapping) else body
    if reply.status == 422 and _is_validation(detail):
        return _refused_values(tool, cast("list[Mapping[str, Any]]", detail))
    text = detail if isinstance(detail, str) else json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
    label = f"{reply.status} {reason_phrase(reply.status)}"
    kept = detail if len(text) <= _LONGEST else text[:_LONGEST]
    message = f"{label}: {text}" if text else label
    return _failure(message, status=reply.status, retry_after=_retry_after(reply), detail=kept)


def _refused_values(tool: EndpointTool, detail: list[Mapping[str, Any]]) -> Outcome:
    problems = [_problem(tool, entry) for entry in detail[:_MOST_PROBLEMS]]
    texts = [": ".join(filter(None, (_place(problem), problem["message"]))) for problem in problems]
    more = len(detail) - len(problems)
    text = "; ".join(texts) + (f"; and {more:,} more problems" if more else "")
    label = (
        "Invalid request" if any(problem.keys() & set(_CALLER_PLACES) for problem in problems) else "Invalid arguments"
    )
    return _failure(f"{label}: {text}", status=422, problems=problems)


def report_server_error(tool: EndpointTool, reply: Reply) -> Outcome:
    """Return the error for a 5xx, an exception, or a missing response."""
    if is_written_for_callers(reply):
        failure = report_client_error(tool, reply)
        logger.warning("tool %r failed: %r", tool.name, failure.error)
        return failure
    reference = _reference()
    logger.error(
        "tool %r failed with status %s, reference %s: %r",
        tool.name, reply.status or "none", reference, reply.body[:_LONGEST].decode("utf-8", "replace"),
        exc_info=reply.exception,
    )  # fmt: skip
    return _hidden(reference, reply.status or 500, _retry_after(reply))


def is_written_for_callers(reply: Reply) -> bool:
    """Return whether a 5xx was written for its callers: any from a remote API, and 501 to 599 from the application."""
    return reply.exception is None and (reply.status > 500 or (reply.is_remote and reply.status == 500))


def report_incomplete_response(reply: Reply, received: str) -> Outcome:
    """Return the error for a response that broke off, with the part that was received."""
    reference = _reference()
    logger.error(
        "the response broke off after %d bytes, reference %s", len(reply.body), reference, exc_info=reply.exception
    )
    failure = _failure(
        f"The tool failed with a server error before its response was complete. Reference: {reference} "
        "(details are in the server log). What was received:",
        status=reply.status,
        reference=reference,
    )
    return failure.with_text(received)


def report_unfollowed_redirect(reply: Reply) -> Outcome:
    """Return the error for a redirect of a remote API that was not followed."""
    label = f"{reply.status} {reason_phrase(reply.status)}"
    location = reply.header(b"location")
    if not location:
        return _failure(f"{label}: the API responded with a redirect without an address.", status=reply.status)
    text = f"{label}: the API redirects to {location!r}. The redirect was not followed."
    return _failure(text, status=reply.status, location=location[:_LONGEST])


def report_https_redirect(reply: Reply) -> Outcome:
    """Return the error for a request that the application redirected to HTTPS instead of handling it."""
    text = (
        f"{reply.status} {reason_phrase(reply.status)}: the application redirects HTTP to HTTPS, so the endpoint was "
        "not run. Send the MCP request over HTTPS; behind a proxy that terminates TLS, the operator can set "
        "TOOLWAY_PUBLIC_URL to the https:// address."
    )
    return _failure(text, status=reply.status)


def report_internal_error(name: str, error: BaseException) -> Outcome:
    """Return the error for an exception in toolway itself, and log it."""
    reference = _reference()
    logger.error("tool %r could not be called, reference %s", name, reference, exc_info=error)
    return _hidden(reference, None)


def reason_phrase(status: int) -> str:
    """Return the standard reason phrase of a status."""
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Status"


def _retry_after(reply: Reply) -> str:
    """Return the Retry-After of a response: seconds or a date (RFC 9110, section 10.2.3)."""
    return reply.header(b"retry-after").strip()[:_LONGEST_HEADER]


def _hidden(reference: str, status: int | None, retry_after: str = "") -> Outcome:
    text = f"The tool failed with a server error. Reference: {reference} (details are in the server log)."
    return _failure(text, status=status, retry_after=retry_after, reference=reference)


def _failure(text: str, *, status: int | None, retry_after: str = "", **more: Any) -> Outcome:
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... (cut)"
    if retry_after:
        shown += f" Retry after {retry_after} seconds." if retry_after.isdecimal() else f" Retry after {retry_after}."
        more["retry_after"] = retry_after
    return Outcome((TextContent(text=shown),), error={"status": status, **more}, status=status)


def _reference() -> str:
    return secrets.token_hex(6)


def _parsed(body: bytes) -> Any:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        return body[:_LONGEST].decode("utf-8", "replace")


def _is_validation(detail: object) -> bool:
    """Return whether a detail is FastAPI's list of validation errors."""
    if not isinstance(detail, list) or not detail:
        return False
    entries = cast("list[Any]", detail)
    return all(isinstance(entry, Mapping) and _has_place(cast("Mapping[str, Any]", entry)) for entry in entries)


def _has_place(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry.get("loc"), list) and "msg" in entry


def _problem(tool: EndpointTool, entry: Mapping[str, Any]) -> dict[str, str]:
    """Name the argument that a validation error is about; empty if it is about the request as a whole."""
    loc: Sequence[object] = entry["loc"]
    message, kind = str(entry["msg"]), str(entry.get("type", ""))
    if (parameter := _caller_value(tool, loc)) is not None:
        return {"argument": "", parameter.location: parameter.name, "message": message, "type": kind}
    return {"argument": _argument(tool, list(loc)), "message": message, "type": kind}


def _place(problem: Mapping[str, str]) -> str:
    of_caller = next((f"{place} {problem[place]!r}" for place in _CALLER_PLACES if place in problem), "")
    return of_caller or problem["argument"]


def _caller_value(tool: EndpointTool, loc: Sequence[object]) -> Parameter | None:
    """Return the header or cookie of the MCP request that a validation error is about; None if it is an argument."""
    if len(loc) < 2:
        return None
    for parameter in tool.operation.parameters:
        if parameter.source == "caller" and parameter.location == loc[0] and _is_named(parameter, loc[1]):
            return parameter
    return None


def _argument(tool: EndpointTool, loc: list[object]) -> str:
    where, rest = (str(loc[0]), loc[1:]) if loc else ("", [])
    for argument in tool.arguments.values():
        if argument.location == "body" and where == "body":
            return argument.name + _steps(rest)
        place = "field" if where == "body" else where
        if rest and argument.location == place and _is_named(argument, rest[0]):
            return argument.name + _steps(rest[1:])
    return _steps(rest).lstrip(".")


def _is_named(argument: Argument | Parameter, found: object) -> bool:
    """Compare names; some releases of FastAPI report a header by the name of its model field."""
    place, name = (
        (argument.location, argument.target) if isinstance(argument, Argument) else (argument.location, argument.name)
    )
    if place == "header":
        return name.replace("_", "-").lower() == str(found).replace("_", "-").lower()
    return name == found


def _steps(rest: Sequence[object]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)
