"""The scored servers with their versions, and the MCP versions in which each is tested."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ENTRIES", "Entry"]

_SHARED = (
    "fastapi==0.165.0",
    "starlette==1.10.0",
    "pydantic[email]==2.14.3",
    "python-multipart==0.0.34",
    "uvicorn==0.54.0",
)
_FASTAPI_MCP = ("fastapi-mcp==0.4.0", "mcp==1.30.0", *_SHARED)
_FASTMCP = ("fastmcp==4.1.2", "mcp==2.3.0", *_SHARED)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One server, and how it is put in front of the applications."""

    name: str
    title: str
    """With `{version}` where the package's version belongs."""
    package: str
    module: str
    """In the folder of peers: what serves."""
    environment: str | None = None
    """The name of its environment; None for the one that the suite runs in."""
    requirements: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    modes: tuple[str, ...] = ("auto", "legacy")
    """As the official client has them: the newest revision that both speak, and the newest with a handshake."""
    path: str = "/mcp"
    remark: str = ""


ENTRIES = (
    Entry(
        name="toolway",
        title="toolway {version}",
        package="toolway",
        module="serve_toolway",
        remark="closes endless answers after a second, because the suite waits ten seconds for an answer",
    ),
    Entry(
        name="fastmcp",
        title="FastMCP {version}, `from_fastapi`",
        package="fastmcp",
        module="serve_fastmcp",
        environment="fidelity/fastmcp",
        requirements=_FASTMCP,
        path="/mcp/",
        remark="mounted beside the application, whose lifespan is run for it",
    ),
    Entry(
        name="fastapi-mcp",
        title="fastapi-mcp {version}",
        package="fastapi-mcp",
        module="serve_fastapi_mcp",
        environment="fidelity/fastapi-mcp",
        requirements=_FASTAPI_MCP,
        modes=("legacy",),
        remark="the whole application, as it is",
    ),
    Entry(
        name="fastapi-mcp-less",
        title="fastapi-mcp {version}, less what stops it",
        package="fastapi-mcp",
        module="serve_fastapi_mcp",
        environment="fidelity/fastapi-mcp",
        requirements=_FASTAPI_MCP,
        arguments=("--without-killers",),
        modes=("legacy",),
        remark="without the endpoints whose models it cannot read; their cases count as failed",
    ),
)
