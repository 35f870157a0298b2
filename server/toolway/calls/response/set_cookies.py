"""Cookies that a response sets. Later calls do not send them, so the result names the header to send instead."""

from __future__ import annotations

from collections.abc import Iterable

from toolway.calls.response.outcome import Outcome
from toolway.openapi import Operation, ParameterNames

__all__ = ["collect_credentials", "find_set_cookies", "mention_cookies"]

_LONGEST_NAME = 100


def find_set_cookies(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, ...]:
    """Return the names of the cookies that a response sets, without those that it deletes."""
    names: tuple[str, ...] = ()
    for name, value in headers:
        if name.lower() == b"set-cookie" and not _deletes(text := value.decode("latin-1")):
            names += (text.partition("=")[0].strip()[:_LONGEST_NAME],)
    return names


def _deletes(cookie: str) -> bool:
    attributes = cookie.lower().replace(" ", "").split(";")[1:]
    return "max-age=0" in attributes or any(entry.startswith("expires=thu,01jan1970") for entry in attributes)


def collect_credentials(operations: Iterable[Operation]) -> ParameterNames:
    """Return the headers with which callers authenticate, and the cookies that reach the endpoints."""
    headers: set[str] = set()
    cookies: set[str] = set()
    for operation in operations:
        headers |= operation.credentials.headers | (operation.declared_names.headers & {"authorization"})
        cookies |= operation.caller_names.cookies
    return ParameterNames(frozenset(headers), frozenset(cookies))


def mention_cookies(outcome: Outcome, cookies: tuple[str, ...], accepted: ParameterNames | None) -> Outcome:
    """Add to an outcome that cookies were set but not kept.

    Args:
        outcome: the outcome of the call.
        cookies: the names of the cookies.
        accepted: the headers and cookies with which callers authenticate; None if their credentials are not forwarded.
    """
    names = list(dict.fromkeys(cookies))
    shown = ", ".join(map(repr, names))
    text = f"The response set the cookie {shown}, which is not kept for later calls."
    if accepted is not None:
        text += f" {_describe_alternative(names, accepted)}"
    return outcome.with_text(text)


def _describe_alternative(names: list[str], accepted: ParameterNames) -> str:
    pairs = "; ".join(f"{name}=..." for name in names)
    undeclared = [name.lower() for name in names if name not in accepted.cookies]
    setting = f" (the server needs caller_headers={undeclared!r}, TOOLWAY_CALLER_HEADERS)" if undeclared else ""
    header = next(iter(sorted(accepted.headers)), None)
    other = f", or authenticate with the header {header!r}" if header else ""
    return f"To use it, have the MCP client send the header 'Cookie: {pairs}'{setting}{other}."
