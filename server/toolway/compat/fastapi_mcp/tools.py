"""What fastapi-mcp shows of its tools as attributes, from the engine's catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mcp_types import Tool as ListedTool

from toolway.catalog import Catalog, Tool
from toolway.catalog.metadata import note_of
from toolway.compat.fastapi_mcp.notice import notify
from toolway.openapi import Operation

__all__ = ["listed", "operation_map", "tell_renamed"]


def listed(catalog: Catalog) -> list[ListedTool]:
    """The tools, as clients of the newest revision get them."""
    return [ListedTool.model_validate(tool.definition(wrapped=False)) for tool in catalog.tools.values()]


def operation_map(catalog: Catalog) -> dict[str, dict[str, Any]]:
    """What each tool calls: ``path``, ``method`` in lower case, ``parameters`` and ``request_body`` as in OpenAPI."""
    return {name: _entry(tool.operation) for name, tool in catalog.tools.items()}


def _entry(operation: Operation) -> dict[str, Any]:
    body = operation.body
    parameters = [
        {"name": entry.name, "in": entry.location, "required": entry.required, "schema": entry.schema}
        for entry in operation.parameters
    ]
    return {
        "path": operation.path,
        "method": operation.method.lower(),
        "parameters": parameters,
        "request_body": {}
        if body is None
        else {"content": {body.media_type: {"schema": body.schema}}, "required": body.required},
    }


def tell_renamed(tools: Iterable[Tool]) -> None:
    """Warn of operation ids that could not stay as they are; a name that a marker asks for was asked for."""
    for tool in tools:
        operation_id = tool.operation.operation_id
        if operation_id is not None and tool.name != operation_id and "name" not in (note_of(tool.operation) or {}):
            notify(
                f"{tool.operation} is the tool {tool.name!r}: its operation id {operation_id!r} is no name that every"
                " client takes (1 to 64 of A-Z, a-z, 0-9, _ and -, each only once). Give it another operation_id."
            )
