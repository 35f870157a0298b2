"""Cookies that a response sets. No later call sends them, so the result says which header to send instead."""

from __future__ import annotations

from collections.abc import Iterable

from toolway.calls.response.outcome import Outcome
from toolway.openapi import Operation, ParameterNames

__all__ = ["cookies_set", "credentials_of", "name_cookies"]

_LONGEST_NAME = 100


def cookies_set(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, ...]:
    """Return the names of the cookies that a response sets; one that it deletes is not among them."""
    names: tuple[str, ...] = ()
    for name, value in headers:
        if name.lower() == b"set-cookie" and not _deletes(text := value.decode("latin-1")):
            names += (text.partition("=")[0].strip()[:_LONGEST_NAME],)
    return names


def _deletes(cookie: str) -> bool:
    attributes = cookie.lower().replace(" ", "").split(";")[1:]
    return "max-age=0" in attributes or any(entry.startswith("expires=thu,01jan1970") for entry in attributes)


def credentials_of(operations: Iterable[Operation]) -> ParameterNames:
    """Return the headers with which callers authenticate, and the cookies that the endpoints get from them."""
    headers: set[str] = set()
    cookies: set[str] = set()
    for operation in operations:
        headers |= operation.credentials.headers | (operation.declared_names.headers & {"authorization"})
        cookies |= operation.caller_names.cookies
    return ParameterNames(frozenset(headers), frozenset(cookies))


def name_cookies(outcome: Outcome, cookies: tuple[str, ...], accepted: ParameterNames | None) -> Outcome:
    """Add to an outcome that cookies were not kept.

    Args:
        outcome: what the caller gets.
        cookies: their names.
        accepted: how callers authenticate; None where the API gets no credentials from them.
    """
    names = list(dict.fromkeys(cookies))
    shown = ", ".join(map(repr, names))
    text = f"The response set the cookie {shown}, which is not kept for later calls."
    if accepted is not None:
        text += f" {_instead(names, accepted)}"
    return outcome.with_text(text)


def _instead(names: list[str], accepted: ParameterNames) -> str:
    pairs = "; ".join(f"{name}=..." for name in names)
    undeclared = [name.lower() for name in names if name not in accepted.cookies]
    setting = f" (the server needs caller_headers={undeclared!r}, TOOLWAY_CALLER_HEADERS)" if undeclared else ""
    header = next(iter(sorted(accepted.headers)), None)
    other = f", or authenticate with the header {header!r}" if header else ""
    return f"To use it, have the MCP client send the header 'Cookie: {pairs}'{setting}{other}."
