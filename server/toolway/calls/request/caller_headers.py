"""Headers and cookies that come from the MCP request: arguments cannot set them, and errors name missing ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from toolway.calls.response.outcome import Outcome
from toolway.catalog import EndpointTool
from toolway.errors import ArgumentError
from toolway.openapi import Operation, Parameter

__all__ = ["CarriedNames", "check_not_carried", "mention_missing_values", "read_carried_names"]


@dataclass(frozen=True, slots=True)
class CarriedNames:
    """Names of the headers and cookies that an operation gets from the MCP request."""

    headers: frozenset[str]
    cookies: frozenset[str]

    def __or__(self, other: CarriedNames) -> CarriedNames:
        return CarriedNames(self.headers | other.headers, self.cookies | other.cookies)

    def has(self, location: str, name: str) -> bool:
        return name.lower() in self.headers if location == "header" else name in self.cookies


def read_carried_names(headers: Collection[tuple[bytes, bytes]]) -> CarriedNames:
    """Return the names of the headers and of the cookies in them."""
    pairs = (pair for name, value in headers if name == b"cookie" for pair in value.split(b";"))
    return CarriedNames(
        headers=frozenset(name.decode("latin-1") for name, _ in headers),
        cookies=frozenset(pair.partition(b"=")[0].strip().decode("latin-1") for pair in pairs),
    )


def check_not_carried(tool: EndpointTool, arguments: Mapping[str, Any], carried: CarriedNames) -> None:
    """Check that no argument sets a header or cookie that the MCP request carries.

    Raises:
        ArgumentError: an argument does; the value of the MCP request takes precedence.
    """
    for name, value in arguments.items():
        argument = tool.arguments.get(name)
        if argument is None or value is None or argument.location not in {"header", "cookie"}:
            continue
        if carried.has(argument.location, argument.target):
            raise ArgumentError(
                f"{name!r} must be left out: the request carries the {argument.location} {argument.target!r}, "
                "and that value is used"
            )


def mention_missing_values(outcome: Outcome, operation: Operation, carried: CarriedNames) -> Outcome:
    """Add to a 4xx the required headers and cookies that the MCP request lacks, and how to send them."""
    missing = [
        entry
        for entry in operation.parameters
        if entry.required and entry.source == "caller" and entry.location in {"header", "cookie"}
        if not carried.has(entry.location, entry.name)
    ]
    if not missing or outcome.error is None:
        return outcome
    return outcome.with_text(" ".join(_describe_missing(entry, operation) for entry in missing))


def _describe_missing(parameter: Parameter, operation: Operation) -> str:
    kind, name = parameter.location, parameter.name
    text = (
        f"The MCP request does not carry the {kind} {name!r}, which {operation} requires. "
        "Have the MCP client send it with every request"
    )
    if name.lower() in operation.credentials.headers or name in operation.credentials.cookies:
        return text + "."
    setting = f"header_arguments=[{name.lower()!r}] (TOOLWAY_HEADER_ARGUMENTS)"
    return f"{text}, or make it an argument of the tool: {setting}."
