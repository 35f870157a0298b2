"""Selection of fields from JSON results.

Values are copied from the bytes of the endpoint, so that numbers keep the form in which the endpoint wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from pydantic_core import to_json

from toolway.catalog import (
    ANY_FIELD,
    FIELDS,
    EndpointTool,
    FieldTree,
    check_fields,
    find_result_schema,
    parse_fields,
)

__all__ = ["read_fields", "select_fields"]

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_fields(
    tool: EndpointTool, arguments: Mapping[str, Any], fields: object = None
) -> tuple[FieldTree, Mapping[str, Any]]:
    """Return the selection of a call, or the default one of the tool, and the arguments of the endpoint.

    Args:
        tool: the tool.
        arguments: the arguments, with those that the tool has besides its endpoint.
        fields: the selection, if it is not one of the arguments.

    Raises:
        ArgumentError: the argument is not a list of paths, or the result has no such field.
    """
    if fields is None and not (tool.selects_fields and FIELDS in arguments):
        return parse_fields(list(tool.concise)), arguments
    if fields is None:
        fields = arguments[FIELDS]
        arguments = {name: value for name, value in arguments.items() if name != FIELDS}
    tree = parse_fields(fields)
    check_fields(tree, find_result_schema(tool.operation) or {}, tool.operation.components)
    return tree, arguments


def select_fields(body: bytes, tree: FieldTree) -> bytes:
    """Return JSON with the selected members only; members that do not exist are left out."""
    if not tree:
        return body
    match body.lstrip()[:1]:
        case b"[":
            return b"[%b]" % b",".join(select_fields(bytes(item), tree) for item in _ARRAY.decode(body))
        case b"{":
            members = _OBJECT.decode(body)
            chosen = dict.fromkeys(members, tree[ANY_FIELD]) if ANY_FIELD in tree else tree
            entries = (
                to_json(name) + b":" + select_fields(bytes(members[name]), inner)
                for name, inner in chosen.items()
                if name in members
            )
            return b"{%b}" % b",".join(entries)
        case _:
            return body
