"""Rules about destructive tools, credentials, cookies, and endpoints that agents should not have."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import unwrap
from types import CodeType
from typing import Any

from toolway.catalog import EndpointTool
from toolway.lint.finding import Finding, Rule
from toolway.lint.lint_context import Check, LintContext, split_words
from toolway.markers import Hints

__all__ = ["CHECKS"]

_DESTRUCTIVE_VERBS = frozenset(
    {"cancel", "clear", "delete", "destroy", "discard", "drop", "erase", "flush", "kill", "overwrite", "prune",
     "purge", "remove", "reset", "revoke", "terminate", "truncate", "uninstall", "wipe"}
)  # fmt: skip
_SECRET_WORDS = frozenset({"apikey", "credential", "credentials", "jwt", "password", "secret", "token"})
_POSITION_WORDS = frozenset({"continuation", "cursor", "next", "page", "sync"})
"""Words that mark a token as a position in a list rather than a credential."""
_PRIVATE_WORDS = frozenset(
    {"admin", "debug", "impersonate", "internal", "login", "logout", "metrics", "oauth", "oauth2", "signin", "signup",
     "superuser", "token", "tokens"}
)  # fmt: skip

A1 = Rule(
    "A1",
    "warn",
    "Looks destructive but is not marked so",
    "Clients ask their user before a tool that is marked destructive, and run read-only tools without asking.",
    'Add @agent_tool(hints={"destructive": True}), or False if nothing is lost; use DELETE instead of GET.',
)
A2 = Rule(
    "A2",
    "warn",
    "Credentials in a cookie only",
    "MCP clients do not keep cookies, so each user has to add a Cookie header to the client's configuration.",
    "Also accept a header (HTTPBearer, OAuth2 or APIKeyHeader), or hide the endpoint with @agent_tool(hide=True).",
)
A3 = Rule(
    "A3",
    "warn",
    "Endpoint for administrators, logins, tokens or operators",
    "Agents rarely need it, a manipulated agent can do harm with it, and tokens end up in its context.",
    'Exclude it with Toolway(app, exclude={"paths": [...]}) or @agent_tool(hide=True).',
)
A5 = Rule(
    "A5",
    "info",
    "Destructive without confirmation",
    "Some clients run destructive tools without asking their user, so nothing stops a wrong call.",
    'Add @agent_tool(confirm="Delete order {order_id}?") if a wrong call cannot be undone.',
)
A6 = Rule(
    "A6",
    "warn",
    "Argument that looks like a credential",
    "The agent needs a secret, which then appears in its context and in logs.",
    "Declare Security(APIKeyHeader(name=...)) or HTTPBearer instead of Header(); that header is forwarded.",
)
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


def _check_destructive_hint(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        if verb := _destructive_verb(tool, context):
            claim = "the tool is marked read-only" if tool.annotations.read_only else "the tool is not marked so"
            yield A1.at(tool, f"{verb!r} sounds destructive, and {claim}")


def _destructive_verb(tool: EndpointTool, context: LintContext) -> str | None:
    """Return the destructive verb in a tool's name or path, unless its hints are explicit."""
    hints: Hints = context.notes[tool.name].get("hints") or {}
    if hints.keys() & {"destructive", "read_only"} or tool.annotations.destructive:
        return None
    named = split_words(tool.name)
    if tool.annotations.read_only:  # a GET may list removed items, but its name rarely starts with the verb
        named = named[:1]
    else:
        named += split_words(_static_parts(tool)[-1]) if _static_parts(tool) else []
    return next((word for word in named if word in _DESTRUCTIVE_VERBS), None)


def _static_parts(tool: EndpointTool) -> list[str]:
    """Return the static segments of the path."""
    return [part for part in tool.operation.path.split("/") if part and "{" not in part]


def _check_cookie_credentials(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        credentials = tool.operation.credentials
        if not credentials.is_satisfiable:
            wanted = [f"the cookie {name!r}" for name in sorted(credentials.cookies)]
            yield A2.at(tool, f"requires {' and '.join(wanted)}")


def _check_private_endpoints(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        named = [word for text in (*_static_parts(tool), *tool.operation.tags) for word in split_words(text)]
        if found := [word for word in dict.fromkeys(named) if word in _PRIVATE_WORDS]:
            yield A3.at(tool, f"its path or tags contain {' and '.join(map(repr, found))}")


def _check_confirmation(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        if tool.annotations.destructive and tool.confirmation is None:
            yield A5.at(tool, "is marked destructive but runs without confirmation")


def _check_secret_arguments(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        for argument in tool.arguments.values():
            if argument.location in {"header", "cookie"} and _is_secret(argument.target):
                yield A6.at(tool, f"is a {argument.location} whose name suggests a secret", argument.name)


def _is_secret(name: str) -> bool:
    named = set(split_words(name))
    return (not named.isdisjoint(_SECRET_WORDS) or {"api", "key"} <= named) and named.isdisjoint(_POSITION_WORDS)


def _check_client_headers(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        credentials = tool.operation.credentials
        for entry in tool.operation.parameters:
            is_credential = entry.name.lower() in credentials.headers or entry.name in credentials.cookies
            if entry.source == "caller" and entry.required and entry.location != "query" and not is_credential:
                yield A7.at(tool, f"requires the {entry.location} {entry.name!r} of the MCP request")


def _check_set_cookie(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        calls = (tool.operation.endpoint, *tool.operation.dependencies)
        if any("set_cookie" in names for call in calls for names in _iter_used_names(call)):
            yield A8.at(tool, "its code calls set_cookie")


def _iter_used_names(call: Any) -> Iterator[tuple[str, ...]]:
    """Yield the names that a function and its nested functions use."""
    pending: list[object] = [getattr(unwrap(call), "__code__", None)] if call is not None else []
    while pending:
        code = pending.pop()
        if isinstance(code, CodeType):
            yield code.co_names
            pending.extend(code.co_consts)


CHECKS: dict[Rule, Check] = {
    A1: _check_destructive_hint,
    A2: _check_cookie_credentials,
    A3: _check_private_endpoints,
    A5: _check_confirmation,
    A6: _check_secret_arguments,
    A7: _check_client_headers,
    A8: _check_set_cookie,
}
