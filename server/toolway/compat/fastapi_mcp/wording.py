"""A Toolway with the names and descriptions of fastapi-mcp: operation ids as names, responses in descriptions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from mcp.server.lowlevel import Server
from mcp_types import Tool as ListedTool

from toolway import Toolway
from toolway.app import engine_of
from toolway.catalog import Catalog, EndpointTool
from toolway.catalog.marker_fields import read_operation_marker
from toolway.catalog.schema.definitions import Definitions
from toolway.compat.fastapi_mcp.migration_warning import warn_once
from toolway.compat.fastapi_mcp.operation_filters import Filters
from toolway.errors import DocumentError, FilterError
from toolway.openapi import Api, Operation, Response
from toolway.sources import Application

__all__ = ["WordedToolway", "Wording", "list_tools", "operation_map"]

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of an API for agents."""

    instructions: str
    """The instructions of the server."""
    all_responses: bool = False
    """Describe every documented response. By default none, or only successful ones with `full_schemas`."""
    full_schemas: bool = False
    """Add the JSON Schema of each described response."""

    def apply(self, api: Api) -> Api:
        """Return the API with these texts, and without the methods that fastapi-mcp does not serve."""
        operations = (self._describe(operation) for operation in api.operations if operation.method in _METHODS)
        return replace(api, description=self.instructions, operations=tuple(operations))

    def _describe(self, operation: Operation) -> Operation:
        operation = replace(operation, generated_suffix="")  # keeps the whole operation id as the name
        responses = list(self._response_lines(operation))
        if not responses:
            return operation
        text = operation.description or operation.summary
        return replace(operation, description="\n\n".join(filter(None, (text, "Responses:\n" + "\n".join(responses)))))

    def _response_lines(self, operation: Operation) -> Iterator[str]:
        if not (self.all_responses or self.full_schemas):
            return
        for status, group in groupby(operation.responses, key=lambda response: response.status):
            if self.all_responses or status.startswith("2"):
                responses = list(group)
                media_types = ", ".join(response.media_type for response in responses if response.media_type)
                suffix = f" ({media_types})" if media_types else ""
                yield f"- {status}: {responses[0].description or 'no description'}{suffix}"
                for response in responses if self.full_schemas else ():
                    if schema := _self_contained_schema(operation, response):
                        yield f"  {schema}"


def _self_contained_schema(operation: Operation, response: Response) -> str:
    if not response.schema:
        return ""
    try:
        definitions = Definitions(operation.components)
        schema = definitions.attach(definitions.adopt(response.schema))
    except DocumentError:  # reported when the catalog is built
        return ""
    return json.dumps(schema, ensure_ascii=False)


class WordedToolway(Toolway):
    """A Toolway whose tools are named, described and filtered as by fastapi-mcp."""

    def __init__(self, *args: Any, wording: Wording, filters: Filters, **options: Any) -> None:
        super().__init__(*args, **options)
        self._filters = filters
        self._server_before_startup: Server[Any] | None = None
        engine = engine_of(self)
        engine.max_name_length = 64
        source = engine.source
        if isinstance(source, Application):
            source.adapt = wording.apply
            source.selection = filters.selection()

    @property
    def server(self) -> Server[Any]:
        """The SDK's server of the running application. Before startup: a server of the operations known so far."""
        engine = engine_of(self)
        if engine.running is not None:
            return engine.running.server
        if self._server_before_startup is None:
            _, _, self._server_before_startup = engine.build_server({})
        return self._server_before_startup

    def refresh(self) -> None:
        self._server_before_startup = None
        super().refresh()

    def read_catalog(self) -> Catalog:
        catalog = super().read_catalog()
        given = self._filters.given()
        if given and not catalog.tools:
            named = " and ".join(f"{name}={list(entries)!r}" for name, entries in given.items())
            raise FilterError(
                f"{named} leave no operation to serve; an operation is served if an include filter names it"
                " and no exclude filter does"
            )
        _warn_of_renamed(catalog.tools.values())
        return catalog


def list_tools(catalog: Catalog) -> list[ListedTool]:
    """Return the tools, as clients of MCP 2026-07-28 receive them."""
    return [ListedTool.model_validate(tool.definition(wrapped=False)) for tool in catalog.tools.values()]


def operation_map(catalog: Catalog) -> dict[str, dict[str, Any]]:
    """Return the operation of each tool: ``path``, lower-case ``method``, ``parameters`` and ``request_body``."""
    return {name: _operation_entry(tool.operation) for name, tool in catalog.tools.items()}


def _operation_entry(operation: Operation) -> dict[str, Any]:
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


def _warn_of_renamed(tools: Iterable[EndpointTool]) -> None:
    """Warn of operation ids that are not valid tool names, unless a marker names the tool."""
    for tool in tools:
        operation_id = tool.operation.operation_id
        if (
            operation_id is not None
            and tool.name != operation_id
            and "name" not in (read_operation_marker(tool.operation) or {})
        ):
            warn_once(
                f"{tool.operation} is the tool {tool.name!r}: its operation id {operation_id!r} is not a name that"
                " every client accepts (1 to 64 of A-Z, a-z, 0-9, _ and -, each name once). Give it another"
                " operation_id."
            )
