"""From operations to the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolway.catalog.arguments import Argument, body_plan, flat_arguments
from toolway.catalog.describe import annotations_of, description_of, note_of, title_of
from toolway.catalog.names import tool_names
from toolway.catalog.output import output_schemas
from toolway.catalog.schemas import Definitions
from toolway.catalog.selection import Selection
from toolway.catalog.tool import Tool
from toolway.errors import DocumentError
from toolway.operations import MALFORMED, Api, Operation, Schema, Skipped

__all__ = ["Catalog", "build_catalog"]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tools of an API by name, in the document's order, and what could not become one."""

    title: str
    version: str
    description: str
    tools: Mapping[str, Tool]
    skipped: tuple[Skipped, ...] = ()


def build_catalog(api: Api, selection: Selection | None = None) -> Catalog:
    """Turn an API's operations into tools.

    Names are given before the selection, so that a filter never renames a tool that stays.

    Raises:
        FilterError: an include or exclude entry matches nothing.
        ConfigurationError: an endpoint's marker has an unknown field.
    """
    selection = selection or Selection()
    selection.check(api.operations)
    notes = [note_of(operation) for operation in api.operations]
    names = tool_names(api.operations, [(note or {}).get("name") for note in notes])
    tools: dict[str, Tool] = {}
    skipped = list(api.skipped)
    for operation, note, name in zip(api.operations, notes, names, strict=True):
        if selection.takes(operation, note):
            try:
                tools[name] = _tool(operation, note or {}, name)
            except DocumentError as error:
                skipped.append(Skipped(operation.method, operation.path, str(error)))
            except MALFORMED as error:
                reason = f"its schemas are malformed: {error}"
                skipped.append(Skipped(operation.method, operation.path, reason))
    return Catalog(api.title, api.version, api.description, tools, tuple(skipped))


def _tool(operation: Operation, note: Mapping[str, Any], name: str) -> Tool:
    definitions = Definitions(operation.components)
    arguments = flat_arguments(operation)
    plan = body_plan(operation)
    output, wrapped, wraps = output_schemas(operation)
    return Tool(
        name=name,
        title=title_of(operation, note, name),
        description=description_of(operation, note),
        input_schema=_input_schema(arguments, definitions, is_open=plan is not None and plan.open),
        output_schema=output,
        wrapped_output_schema=wrapped,
        wraps_output=wraps,
        annotations=annotations_of(operation, note),
        operation=operation,
        arguments={argument.name: argument for argument in arguments},
        body=plan,
    )


def _input_schema(arguments: list[Argument], definitions: Definitions, *, is_open: bool) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {entry.name: definitions.adopt(entry.schema, entry.name) for entry in arguments},
    }
    required = [entry.name for entry in arguments if entry.required]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = is_open
    return definitions.attach(schema)
