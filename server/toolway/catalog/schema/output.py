"""Output schemas: published only where the answer is sure to match, because clients refuse what does not."""

from __future__ import annotations

from toolway.catalog.schema.definitions import Definitions, accepts_null, deref, is_object
from toolway.catalog.schema.regex_portability import portable
from toolway.media_types import essence, is_json
from toolway.openapi import Operation, Schema

__all__ = ["WRAPPER", "output_schemas"]

WRAPPER = "result"


def output_schemas(operation: Operation) -> tuple[Schema | None, Schema | None, bool]:
    """Return the schema from 2026-07-28 on, the one before, and whether the latter always wraps.

    Handshake revisions know only objects: anything else travels as ``{"result": ...}`` there. A top-level null cannot
    be sent as structured content at all from 2026-07-28 on, so an answer that may be null promises nothing there.
    """
    schema = _promised(operation)
    if schema is None:
        return None, None, False
    definitions = Definitions(operation.components, with_required=not operation.may_omit_fields)
    whole = deref(schema, operation.components)
    if is_object(whole):
        root = portable(definitions.attach({"type": "object", **_untitled(definitions.adopt(whole))}))
        return root, root, False
    plain = _untitled(definitions.adopt(schema))
    wrapped = definitions.attach({"type": "object", "properties": {WRAPPER: plain}, "required": [WRAPPER]})
    modern = None if accepts_null(schema, operation.components) else portable(definitions.attach(plain))
    return modern, portable(wrapped), True


def _promised(operation: Operation) -> Schema | None:
    """The schema of the only successful answer, if it is JSON and described."""
    good = [response for response in operation.responses if response.status.startswith("2")]
    if (
        operation.schema_mismatch
        or len(good) != 1
        or good[0].schema is None
        or not is_json(essence(good[0].media_type or ""))
    ):
        return None
    return good[0].schema if _untitled(good[0].schema) else None


def _untitled(schema: Schema) -> Schema:
    """The titles that FastAPI gives to answers, and the name of a model, tell an agent nothing."""
    return {key: value for key, value in schema.items() if key != "title"}
