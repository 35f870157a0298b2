"""The interface of fastapi-mcp 0.4.0 on toolway's engine: change the import, and the rest of a module stays as it is.

What differs on purpose is said by a `MigrationWarning`; docs/migrating-from-fastapi-mcp.md tells the whole.
"""

from toolway.compat.fastapi_mcp.auth import AuthConfig, OAuthMetadata
from toolway.compat.fastapi_mcp.notice import MigrationWarning
from toolway.compat.fastapi_mcp.server import FastApiMCP

__all__ = ["AuthConfig", "FastApiMCP", "MigrationWarning", "OAuthMetadata"]
