"""Which headers and cookies of an operation are arguments of its tool, and which belong to the caller.

An argument is written by a language model, so it must never fill a header that an endpoint trusts: a credential, what
only a trusted proxy sets, or what a dependency declares (identity, tenancy, tracing). The MCP request carries those.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from toolway.errors import ConfigurationError
from toolway.headers import stays_with_connection
from toolway.openapi.model import Operation, Parameter, ValueSource
from toolway.openapi.parameter_names import ParameterNames

__all__ = ["CallerRules"]

_RESERVED = frozenset({"authorization", "forwarded", "origin", "set-cookie", "via"})
_OF_CLIENT = frozenset({"referer", "user-agent"})
"""What MCP clients send by themselves; a remote API does not get it from them."""
_RESERVED_PREFIXES = ("sec-",)
_ASSERTIONS = frozenset(
    {"cf-connecting-ip", "remote-user", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "x-real-ip"}
)
"""Headers that only a trusted proxy or gateway may set, and endpoints believe."""
_ASSERTION_PREFIXES = (
    "cf-access-", "ssl-client-", "tailscale-", "x-amzn-oidc-", "x-auth-request-", "x-authentik-", "x-client-cert",
    "x-forwarded-", "x-goog-", "x-ms-client-principal", "x-ms-token-", "x-remote-", "x-ssl-client-",
)  # fmt: skip
_IDENTITY_WORDS = ("user", "email", "e-mail", "tenant", "role", "group", "account")
_TOOLWAY_PREFIX = "toolway-"
"""Of headers that answer questions over plain HTTP (see `asking`); nobody else sets them in a tool call."""


@dataclass(frozen=True, slots=True)
class CallerRules:
    """Tells arguments from values of the caller, for headers and cookies; names are in lower case."""

    header_arguments: frozenset[str] = frozenset()
    """The operator's exceptions: arguments, although they would belong to the caller."""
    caller_headers: frozenset[str] = frozenset()
    """The operator's exceptions: values of the caller, for all operations, whether they declare them or not."""

    def apply(self, operation: Operation) -> Operation:
        """Return the operation with the source of each parameter, and what it takes from the MCP request."""
        parameters = tuple(replace(entry, source=self._source(entry, operation)) for entry in operation.parameters)
        return replace(operation, parameters=parameters, caller_names=self._caller(operation))

    def _caller(self, operation: Operation) -> ParameterNames:
        credentials, declared_names = operation.credentials, operation.declared_names
        headers = {entry.name.lower() for entry in operation.parameters if entry.location == "header"}
        headers |= {*credentials.headers, *declared_names.headers, *self.caller_headers, "authorization"}
        cookies = {entry.name for entry in operation.parameters if entry.location == "cookie"}
        return ParameterNames(
            headers=frozenset(name for name in headers if not _stays(name)),
            cookies=frozenset(cookies) | credentials.cookies | declared_names.cookies | self.caller_headers,
            query=credentials.query,
        )

    def _source(self, parameter: Parameter, operation: Operation) -> ValueSource:
        credentials, dependencies = operation.credentials, operation.dependency_names
        match parameter.location:
            case "header":
                name = parameter.name.lower()
                if _stays(name):
                    return "connection"
                self._check_credential(name, credentials.headers, operation)
                is_of_caller = name in dependencies.headers or (operation.route is not None and name in _OF_CLIENT)
                return self._decide(name, name in credentials.headers, is_of_caller)
            case "cookie":
                name = parameter.name
                self._check_credential(name, credentials.cookies, operation)
                return self._decide(name, name in credentials.cookies, name in dependencies.cookies)
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

    def _decide(self, name: str, is_credential: bool, is_of_caller: bool) -> ValueSource:
        if is_credential:
            return "caller"
        if name.lower() in self.header_arguments:
            return "argument"
        is_named = name.lower() in self.caller_headers
        return "caller" if is_of_caller or is_named or _is_assertion(name) else "argument"


def _stays(header: str) -> bool:
    return stays_with_connection(header) or header.startswith(_TOOLWAY_PREFIX)


def _is_assertion(name: str) -> bool:
    """Tell whether an endpoint would trust a header or cookie of this name, as only a proxy or a browser sets it."""
    name = name.lower().replace("_", "-")
    if name in _OF_CLIENT:
        return False
    return (
        name in _RESERVED
        or name in _ASSERTIONS
        or name.startswith((*_RESERVED_PREFIXES, *_ASSERTION_PREFIXES))
        or any(word in name for word in _IDENTITY_WORDS)
    )
