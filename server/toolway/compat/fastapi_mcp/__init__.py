"""The interface of fastapi-mcp 0.4.0 on toolway's engine: only the import changes.

A `MigrationWarning` reports each deliberate difference; docs/migrating-from-fastapi-mcp.md lists them all.
"""

from toolway.compat.fastapi_mcp.auth_config import AuthConfig, OAuthMetadata
from toolway.compat.fastapi_mcp.interface import FastApiMCP
from toolway.compat.fastapi_mcp.migration_warning import MigrationWarning

__all__ = ["AuthConfig", "FastApiMCP", "MigrationWarning", "OAuthMetadata"]
