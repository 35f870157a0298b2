"""Safety: what a client should ask about first, and what should not be offered to agents at all."""

from __future__ import annotations

from collections.abc import Iterator

from toolway.catalog import Tool
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
"""What a token that says where to go on is called."""
_PRIVATE = frozenset(
    {"admin", "debug", "impersonate", "internal", "login", "logout", "metrics", "oauth", "oauth2", "signin", "signup",
     "superuser", "token", "tokens"}
)  # fmt: skip

A1 = Rule(
    "A1",
    "warn",
    "Looks destructive, and does not say so",
    "Clients ask their user before a tool that is marked destructive, and run one that claims to read without asking.",
    '@agent_tool(hints={"destructive": True}), or False where nothing is lost; DELETE in place of GET.',
)
A2 = Rule(
    "A2",
    "warn",
    "Credentials in a cookie only",
    "MCP clients keep no cookies, so each user has to put a Cookie header into the configuration of the client.",
    "A header as another way in: HTTPBearer, OAuth2 or APIKeyHeader; or @agent_tool(hide=True).",
)
A3 = Rule(
    "A3",
    "warn",
    "Endpoint for administrators, logins, tokens or operators",
    "An agent rarely needs it, and one that was talked into it does harm; tokens end up in its context.",
    'Toolway(app, exclude={"paths": [...]}) or @agent_tool(hide=True).',
)
A5 = Rule(
    "A5",
    "info",
    "Destroys without asking for a yes",
    "Some clients run destructive tools without asking their user, and there is nobody else to stop a wrong call.",
    '@agent_tool(confirm="Delete order {order_id}?"), where a wrong call cannot be made good.',
)
A6 = Rule(
    "A6",
    "warn",
    "Argument that looks like a credential",
    "The agent has to be told a secret, which then is in its context and its logs.",
    "Security(APIKeyHeader(name=...)) or HTTPBearer in place of Header(): the caller's own header goes through then.",
)


def _unmarked(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if verb := _verb(tool, survey):
            claim = "it claims only to read" if tool.annotations.read_only else "it claims neither"
            yield A1.at(tool, f"{verb!r} sounds destructive, and {claim}")


def _verb(tool: Tool, survey: Survey) -> str | None:
    """The word that gives a tool away, unless its hints were chosen or already say so."""
    hints: Hints = survey.notes[tool.name].get("hints") or {}
    if hints.keys() & {"destructive", "read_only"} or tool.annotations.destructive:
        return None
    named = words(tool.name)
    if tool.annotations.read_only:  # a GET may well list what was removed, but hardly begins with the word
        named = named[:1]
    else:
        named += words(_segments(tool)[-1]) if _segments(tool) else []
    return next((word for word in named if word in _DESTRUCTIVE), None)


def _segments(tool: Tool) -> list[str]:
    """The parts of the path that always stand there."""
    return [part for part in tool.operation.path.split("/") if part and "{" not in part]


def _locked(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        credentials = tool.operation.credentials
        if not credentials.is_satisfiable:
            wanted = [f"the cookie {name!r}" for name in sorted(credentials.cookies)]
            yield A2.at(tool, f"wants {' and '.join(wanted)}")


def _private(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        named = [word for text in (*_segments(tool), *tool.operation.tags) for word in words(text)]
        if found := [word for word in dict.fromkeys(named) if word in _PRIVATE]:
            yield A3.at(tool, f"its path or tags say {' and '.join(map(repr, found))}")


def _unconfirmed(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if tool.annotations.destructive and tool.confirmation is None:
            yield A5.at(tool, "it is marked destructive, and runs at once")


def _secrets(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        for argument in tool.arguments.values():
            if argument.place in {"header", "cookie"} and _is_secret(argument.target):
                yield A6.at(tool, f"is a {argument.place} that its name says to be secret", argument.name)


def _is_secret(name: str) -> bool:
    named = set(words(name))
    return (not named.isdisjoint(_SECRET) or {"api", "key"} <= named) and named.isdisjoint(_PLACES)


CHECKS: dict[Rule, Check] = {A1: _unmarked, A2: _locked, A3: _private, A5: _unconfirmed, A6: _secrets}
