"""Rules about destructive tools, credentials, and endpoints that agents should not have."""

from __future__ import annotations

from collections.abc import Iterator

from toolway.catalog import EndpointTool
from toolway.lint.finding import Finding, Rule
from toolway.lint.survey import Check, Survey, words
from toolway.markers import Hints

__all__ = ["CHECKS"]

_DESTRUCTIVE = frozenset(
    {"cancel", "clear", "delete", "destroy", "discard", "drop", "erase", "flush", "kill", "overwrite", "prune",
     "purge", "remove", "reset", "revoke", "terminate", "truncate", "uninstall", "wipe"}
)  # fmt: skip
_SECRET = frozenset({"apikey", "credential", "credentials", "jwt", "password", "secret", "token"})
_PLACES = frozenset({"continuation", "cursor", "next", "page", "sync"})
"""Words that mark a token as a position in a list rather than a credential."""
_PRIVATE = frozenset(
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


def _unmarked(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if verb := _verb(tool, survey):
            claim = "the tool is marked read-only" if tool.annotations.read_only else "the tool is not marked so"
            yield A1.at(tool, f"{verb!r} sounds destructive, and {claim}")


def _verb(tool: EndpointTool, survey: Survey) -> str | None:
    """Return the destructive verb in a tool's name or path, unless its hints are explicit."""
    hints: Hints = survey.notes[tool.name].get("hints") or {}
    if hints.keys() & {"destructive", "read_only"} or tool.annotations.destructive:
        return None
    named = words(tool.name)
    if tool.annotations.read_only:  # a GET may list removed items, but its name rarely starts with the verb
        named = named[:1]
    else:
        named += words(_segments(tool)[-1]) if _segments(tool) else []
    return next((word for word in named if word in _DESTRUCTIVE), None)


def _segments(tool: EndpointTool) -> list[str]:
    """Return the static segments of the path."""
    return [part for part in tool.operation.path.split("/") if part and "{" not in part]


def _locked(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        credentials = tool.operation.credentials
        if not credentials.is_satisfiable:
            wanted = [f"the cookie {name!r}" for name in sorted(credentials.cookies)]
            yield A2.at(tool, f"requires {' and '.join(wanted)}")


def _private(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        named = [word for text in (*_segments(tool), *tool.operation.tags) for word in words(text)]
        if found := [word for word in dict.fromkeys(named) if word in _PRIVATE]:
            yield A3.at(tool, f"its path or tags contain {' and '.join(map(repr, found))}")


def _unconfirmed(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if tool.annotations.destructive and tool.confirmation is None:
            yield A5.at(tool, "is marked destructive but runs without confirmation")


def _secrets(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        for argument in tool.arguments.values():
            if argument.location in {"header", "cookie"} and _is_secret(argument.target):
                yield A6.at(tool, f"is a {argument.location} whose name suggests a secret", argument.name)


def _is_secret(name: str) -> bool:
    named = set(words(name))
    return (not named.isdisjoint(_SECRET) or {"api", "key"} <= named) and named.isdisjoint(_PLACES)


CHECKS: dict[Rule, Check] = {A1: _unmarked, A2: _locked, A3: _private, A5: _unconfirmed, A6: _secrets}
