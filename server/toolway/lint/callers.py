"""Rules about headers and cookies that MCP clients have to send or keep."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import unwrap
from types import CodeType
from typing import Any

from toolway.lint.finding import Finding, Rule
from toolway.lint.survey import Check, Survey
from toolway.openapi import Operation

__all__ = ["CHECKS"]

A7 = Rule(
    "A7",
    "warn",
    "Header or cookie that the MCP client has to send",
    "It identifies the caller, so it is not a tool argument, and calls without it are refused.",
    "Add the header to the client's configuration, or list it in header_arguments=[...] (TOOLWAY_HEADER_ARGUMENTS) if "
    "agents may choose it. For a remote API, set it on the HTTP client or in Remote(..., forward_headers=[...]).",
)
A8 = Rule(
    "A8",
    "warn",
    "Response that sets a cookie",
    "MCP clients do not keep cookies, so later calls do not send it, and a cookie login has no effect.",
    "Use a login whose token is sent in a header (HTTPBearer, OAuth2, APIKeyHeader), or @agent_tool(hide=True).",
)


def _required_of_callers(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        credentials = tool.operation.credentials
        for entry in tool.operation.parameters:
            is_credential = entry.name.lower() in credentials.headers or entry.name in credentials.cookies
            if entry.source == "caller" and entry.required and entry.location != "query" and not is_credential:
                yield A7.at(tool, f"requires the {entry.location} {entry.name!r} of the MCP request")


def _cookies(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if _sets_cookies(tool.operation):
            yield A8.at(tool, "its code calls set_cookie")


def _sets_cookies(operation: Operation) -> bool:
    calls = (operation.endpoint, *operation.dependencies)
    return any("set_cookie" in names for call in calls for names in _names(call))


def _names(call: Any) -> Iterator[tuple[str, ...]]:
    """Yield the names that a function and its nested functions use."""
    pending: list[object] = [getattr(unwrap(call), "__code__", None)] if call is not None else []
    while pending:
        code = pending.pop()
        if isinstance(code, CodeType):
            yield code.co_names
            pending.extend(code.co_consts)


CHECKS: dict[Rule, Check] = {A7: _required_of_callers, A8: _cookies}
