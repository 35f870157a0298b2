"""Rules that decide which headers and cookies are arguments of a tool, and which come from the caller's request.

A language model writes the arguments, so an argument must never set a header that an endpoint trusts:

- a credential,
- a header that only a trusted proxy sets,
- a header that a dependency declares (identity, tenancy, tracing).

The MCP request carries those.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from toolway.errors import ConfigurationError
from toolway.headers import CLIENT_HEADERS, is_asserted_by_proxy, is_connection_header
from toolway.openapi.operation import Operation, Parameter, ValueSource
from toolway.openapi.parameter_names import ParameterNames

__all__ = ["CallerRules"]


@dataclass(frozen=True, slots=True)
class CallerRules:
    """Decides whether a header or cookie is an argument or comes from the caller; names are in lower case."""

    header_arguments: frozenset[str] = frozenset()
    """Exceptions: names that are arguments although the rules assign them to the caller."""
    caller_headers: frozenset[str] = frozenset()
    """Exceptions: names that every operation takes from the caller, whether it declares them or not."""

    def apply(self, operation: Operation) -> Operation:
        """Return the operation with the source of each parameter and the names it takes from the MCP request."""
        parameters = tuple(replace(entry, source=self._find_source(entry, operation)) for entry in operation.parameters)
        return replace(operation, parameters=parameters, caller_names=self._collect_caller_names(operation))

    def _collect_caller_names(self, operation: Operation) -> ParameterNames:
        credentials, declared_names = operation.credentials, operation.declared_names
        headers = {entry.name.lower() for entry in operation.parameters if entry.location == "header"}
        headers |= {*credentials.headers, *declared_names.headers, *self.caller_headers, "authorization"}
        cookies = {entry.name for entry in operation.parameters if entry.location == "cookie"}
        return ParameterNames(
            headers=frozenset(name for name in headers if not is_connection_header(name)),
            cookies=frozenset(cookies) | credentials.cookies | declared_names.cookies | self.caller_headers,
            query=credentials.query,
        )

    def _find_source(self, parameter: Parameter, operation: Operation) -> ValueSource:
        credentials, dependencies = operation.credentials, operation.dependency_names
        match parameter.location:
            case "header":
                name = parameter.name.lower()
                if is_connection_header(name):
                    return "connection"
                self._check_credential(name, credentials.headers, operation)
                is_from_caller = name in dependencies.headers or (
                    operation.route is not None and name in CLIENT_HEADERS
                )
                return self._choose_source(name, name in credentials.headers, is_from_caller)
            case "cookie":
                name = parameter.name
                self._check_credential(name, credentials.cookies, operation)
                return self._choose_source(name, name in credentials.cookies, name in dependencies.cookies)
            case "query":
                return "caller" if parameter.name in credentials.query else "argument"
            case _:
                return "argument"

    def _check_credential(self, name: str, credentials: Iterable[str], operation: Operation) -> None:
        if name in self.header_arguments and name in credentials:
            raise ConfigurationError(
                f"header_arguments names {name!r}, which is a credential of {operation}; "
                "a credential cannot be an argument, so remove it from TOOLWAY_HEADER_ARGUMENTS"
            )

    def _choose_source(self, name: str, is_credential: bool, is_from_caller: bool) -> ValueSource:
        if is_credential:
            return "caller"
        if name.lower() in self.header_arguments:
            return "argument"
        is_named = name.lower() in self.caller_headers
        return "caller" if is_from_caller or is_named or is_asserted_by_proxy(name.lower()) else "argument"
