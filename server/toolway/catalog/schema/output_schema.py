"""Output schemas, published only if every response matches: clients reject results that do not."""

from __future__ import annotations

from toolway.catalog.schema.definitions import Definitions, accepts_null, dereference, is_object
from toolway.catalog.schema.regex_portability import make_portable
from toolway.media_types import essence, is_json
from toolway.openapi import Operation, Schema

__all__ = ["WRAPPER", "build_output_schemas"]

WRAPPER = "result"


def build_output_schemas(
    operation: Operation, *, is_partial: bool = False
) -> tuple[Schema | None, Schema | None, bool]:
    """Return the schema for MCP 2026-07-28, the schema for earlier revisions, and whether the latter wraps results.

    Structured content of MCP 2024-11-05 to 2025-11-25 is always an object, so any other result is sent as
    ``{"result": ...}``. In 2026-07-28, structured content cannot be null, so a nullable result has no schema.
    No member is required in the schema of a result that `is_partial`, because agents select its fields.
    """
    schema = _find_response_schema(operation)
    if schema is None:
        return None, None, False
    definitions = Definitions(operation.components, with_required=not (operation.may_omit_fields or is_partial))
    whole = dereference(schema, operation.components)
    if is_object(whole):
        root = make_portable(definitions.attach({"type": "object", **_remove_title(definitions.adopt(whole))}))
        return root, root, False
    plain = _remove_title(definitions.adopt(schema))
    wrapped = definitions.attach({"type": "object", "properties": {WRAPPER: plain}, "required": [WRAPPER]})
    modern = None if accepts_null(schema, operation.components) else make_portable(definitions.attach(plain))
    return modern, make_portable(wrapped), True


def _find_response_schema(operation: Operation) -> Schema | None:
    """Return the schema of the only successful response if it is JSON, or None."""
    successful = [response for response in operation.responses if response.status.startswith("2")]
    if operation.schema_mismatch or len(successful) != 1:
        return None
    response = successful[0]
    return (
        response.schema
        if response.schema and _remove_title(response.schema) and is_json(essence(response.media_type or ""))
        else None
    )


def _remove_title(schema: Schema) -> Schema:
    """Return a schema without its title: generated titles and model names do not help an agent."""
    return {key: value for key, value in schema.items() if key != "title"}
