"""The compared servers and their requirements."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ENTRIES",
    "MODERN",
    "NEWEST_HANDSHAKE",
    "OURS",
    "OURS_BEHIND",
    "OURS_WHOLE",
    "PLAIN",
    "UNAVOIDABLE",
    "Entry",
]

MODERN = "2026-07-28"
NEWEST_HANDSHAKE = "2025-11-25"
OURS = "toolway"
OURS_BEHIND = "toolway, behind middleware"
OURS_WHOLE = "toolway, through the whole stack"
_MIDDLEWARE = (("MIDDLEWARE", "true"),)


@dataclass(frozen=True, slots=True)
class Entry:
    """One server with one protocol version."""

    label: str
    module: str
    version: str | None = None
    """The revision that is spoken; None for plain HTTP."""
    environment: str | None = None
    """The folder of its environment below ``var``; None for the project's own."""
    package: str = "fastapi"
    requirements: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    """What is in its environment besides."""
    has_sessions: bool = False
    """Whether a call needs a session, which is opened before the measurement."""

    @property
    def server(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The key of a server; entries with the same key share a process."""
        return self.module, self.variables

    @property
    def is_behind(self) -> bool:
        """Whether the application has middleware."""
        return self.variables == _MIDDLEWARE

    @property
    def beside(self) -> Entry:
        """The plain HTTP entry that it is compared with."""
        return PLAIN_BEHIND if self.is_behind else PLAIN


PLAIN = Entry("plain HTTP", "serve_plain")
PLAIN_BEHIND = Entry("plain HTTP, behind middleware", "serve_plain", variables=_MIDDLEWARE)
UNAVOIDABLE = (
    Entry("plain HTTP that writes its document", "serve_plain", variables=(("STARTS_WITH", "document"),)),
    Entry("and imports the MCP SDK", "serve_plain", variables=(("STARTS_WITH", "document,sdk"),)),
)
"""The least that a start takes if tools are read from the OpenAPI document and served with the SDK."""
_SERVER = ("uvicorn[standard]==0.54.0", "uvloop==0.23.0", "httptools==0.9.0")
_FASTAPI_MCP = ("fastapi-mcp==0.4.0", "mcp==1.30.0", "fastapi==0.165.0", *_SERVER)
_FASTMCP = ("fastmcp==4.1.2", "mcp==2.3.0", "fastapi==0.165.0", *_SERVER)
_WHOLE_STACK = (("TOOLWAY_DIRECT", "false"),)
_SDK_LANE = (("TOOLWAY_FAST_LANE", "false"),)

ENTRIES = (
    PLAIN,
    PLAIN_BEHIND,
    Entry(OURS, "serve_toolway", MODERN),
    Entry(OURS, "serve_toolway", NEWEST_HANDSHAKE),
    Entry(OURS_BEHIND, "serve_toolway", MODERN, variables=_MIDDLEWARE),
    Entry(OURS_BEHIND, "serve_toolway", NEWEST_HANDSHAKE, variables=_MIDDLEWARE),
    Entry(OURS_WHOLE, "serve_toolway", MODERN, variables=_WHOLE_STACK),
    Entry(OURS_WHOLE, "serve_toolway", NEWEST_HANDSHAKE, variables=_WHOLE_STACK),
    Entry("toolway, everything through the SDK", "serve_toolway", MODERN, variables=_SDK_LANE),
    Entry("toolway, everything through the SDK", "serve_toolway", NEWEST_HANDSHAKE, variables=_SDK_LANE),
    Entry("SDK 2.3 alone, functions called directly", "serve_sdk", MODERN, package="mcp"),
    Entry("SDK 2.3 alone, functions called directly", "serve_sdk", NEWEST_HANDSHAKE, package="mcp"),
    Entry(
        "fastapi-mcp 0.4.0",
        "serve_fastapi_mcp",
        NEWEST_HANDSHAKE,
        environment="speed/fastapi-mcp",
        package="fastapi-mcp",
        requirements=_FASTAPI_MCP,
        has_sessions=True,
    ),
    *(
        Entry(
            "FastMCP 4.1.2",
            "serve_fastmcp",
            version,
            environment="speed/fastmcp",
            package="fastmcp",
            requirements=_FASTMCP,
        )
        for version in (MODERN, NEWEST_HANDSHAKE)
    ),
)
