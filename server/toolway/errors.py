"""The exceptions of toolway.

ToolwayError
 |- ConfigurationError      the application cannot be served with these options and settings
 |   |- DocumentError       an OpenAPI document cannot be read
 |   |- FilterError         an include or exclude filter matches no operation
 |   |- AppNotFoundError    no application was found under the given name
 |   `- VersionError        a library that toolway requires is too old
 |- UnknownToolError        a call names a tool that is not listed
 |- ArgumentError           an argument cannot be sent to the endpoint unchanged
 |- CannotAskError          the client cannot answer a question of an endpoint
 |- DeclinedError           the user has declined to answer, or has dismissed the question
 |- ServerShutdownError     the server stopped before it finished a call
 `- NotStartedError         the application has not started, or has shut down
"""

from __future__ import annotations

from typing import Literal

from fastapi import HTTPException

__all__ = [
    "AppNotFoundError",
    "ArgumentError",
    "CannotAskError",
    "ConfigurationError",
    "DeclinedError",
    "DocumentError",
    "FilterError",
    "NotStartedError",
    "ServerShutdownError",
    "ToolwayError",
    "UnknownToolError",
    "VersionError",
]


class ToolwayError(Exception):
    """The base class of toolway's exceptions. Their texts are safe to show to the user they concern."""


class ConfigurationError(ToolwayError):
    """The application cannot be served with these options and settings."""


class DocumentError(ConfigurationError):
    """An OpenAPI document cannot be read."""


class FilterError(ConfigurationError):
    """An include or exclude filter matches no operation."""


class AppNotFoundError(ConfigurationError):
    """No application was found under the given name."""


class VersionError(ConfigurationError):
    """A library that toolway requires is too old."""


class UnknownToolError(ToolwayError):
    """A call names a tool that is not listed."""


class ArgumentError(ToolwayError):
    """An argument cannot be sent to the endpoint unchanged."""


class NotStartedError(ToolwayError):
    """The application has not started, or has shut down."""


class ServerShutdownError(ToolwayError):
    """The server stopped before it finished a call."""

    def __init__(self) -> None:
        super().__init__("The server is restarting and did not finish this call. Try again in a few seconds.")


class CannotAskError(ToolwayError, HTTPException):
    """The client cannot answer a question of an endpoint.

    `kind` is the capability that it lacks: ``elicitation``, ``sampling`` or ``roots``.
    """

    def __init__(self, kind: Literal["elicitation", "sampling", "roots"]) -> None:
        text = f"This tool needs a client with the {kind!r} capability, which this client does not declare."
        HTTPException.__init__(self, 428, text)
        self.kind: Literal["elicitation", "sampling", "roots"] = kind


class DeclinedError(ToolwayError, HTTPException):
    """The user has declined to answer, or has dismissed the question.

    `key` names the question; `action` is ``decline`` or ``cancel``. If it is not caught, the call ends with 403.
    """

    def __init__(self, key: str, action: Literal["decline", "cancel"] = "decline") -> None:
        how = "declined to answer" if action == "decline" else "dismissed the question"
        HTTPException.__init__(self, 403, f"The user {how} ({key}). Do not try again unless the user asks for it.")
        self.key = key
        self.action: Literal["decline", "cancel"] = action
