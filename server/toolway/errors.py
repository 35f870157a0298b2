"""Everything toolway raises on purpose.

ToolwayError
 |- ConfigurationError      the application or its settings cannot be served as asked
 |   |- DocumentError       an OpenAPI document cannot be read
 |   |- FilterError         an include or exclude matches nothing
 |   |- AppNotFoundError    no application stands where one was named
 |   `- VersionError        a library beside toolway is too old
 |- UnknownToolError        a call names a tool that is not listed
 |- ArgumentError           an argument cannot be carried to the endpoint as it is
 |- ServerShutdownError     the server stopped before it had finished a call
 `- NotStartedError         a request came before the application's start-up, or after its end
"""

from __future__ import annotations

__all__ = [
    "AppNotFoundError",
    "ArgumentError",
    "ConfigurationError",
    "DocumentError",
    "FilterError",
    "NotStartedError",
    "ServerShutdownError",
    "ToolwayError",
    "UnknownToolError",
    "VersionError",
]


class ToolwayError(Exception):
    """Whatever toolway raises on purpose; its text is safe to show to the person it concerns."""


class ConfigurationError(ToolwayError):
    """The application or its settings cannot be served as asked."""


class DocumentError(ConfigurationError):
    """An OpenAPI document cannot be read."""


class FilterError(ConfigurationError):
    """An include or exclude filter matches no operation."""


class AppNotFoundError(ConfigurationError):
    """No application stands where one was named."""


class VersionError(ConfigurationError):
    """A library that toolway stands on is too old."""


class UnknownToolError(ToolwayError):
    """A call names a tool that is not listed."""


class ArgumentError(ToolwayError):
    """An argument cannot be carried to the endpoint as it is."""


class NotStartedError(ToolwayError):
    """A request came before the application's start-up had finished, or after its end."""


class ServerShutdownError(ToolwayError):
    """The server stopped before it had finished a call."""

    def __init__(self) -> None:
        super().__init__("The server is restarting and did not finish this call. Try again in a few seconds.")
