"""References within an OpenAPI document: JSON Pointers (RFC 6901) such as ``#/components/schemas/Order``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import quote, unquote

from toolway.errors import DocumentError

__all__ = ["follow_pointer", "require_object", "resolve_references", "split_pointer"]


def split_pointer(pointer: str) -> list[str]:
    """Return the decoded tokens of a pointer, given without its leading ``#/``."""
    return [unquote(token).replace("~1", "/").replace("~0", "~") for token in pointer.split("/")]


def follow_pointer(node: Any, tokens: Iterable[str]) -> Any:
    """Return the part of a document that the tokens name, or None if it does not exist.

    Keys that are percent-encoded in the document itself are found as well.
    """
    for token in tokens:
        if isinstance(node, Mapping):
            members = cast("Mapping[str, Any]", node)
            node = members.get(token, members.get(quote(token)))
        elif isinstance(node, list) and token.isdecimal():
            items = cast("list[Any]", node)
            node = items[int(token)] if int(token) < len(items) else None
        else:
            return None
    return node


def resolve_references(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a node after following its reference, and the references behind that one.

    Raises:
        DocumentError: a reference points outside the document, to nothing, or to itself.
    """
    seen: set[str] = set()
    while isinstance(reference := require_object(node).get("$ref"), str):
        if reference in seen:
            raise DocumentError(f"the reference {reference!r} is circular")
        seen.add(reference)
        if not reference.startswith("#/"):
            raise DocumentError(
                f"the reference {reference!r} points outside the OpenAPI document; bundle it into one file first"
            )
        target = follow_pointer(document, split_pointer(reference[2:]))
        if not isinstance(target, Mapping):
            raise DocumentError(f"the reference {reference!r} points to nothing in the OpenAPI document")
        node = cast("Mapping[str, Any]", target)
    return node


def require_object(node: Any) -> Mapping[str, Any]:
    """Return a node as an object.

    Raises:
        DocumentError: the node is not an object.
    """
    if not isinstance(node, Mapping):
        raise DocumentError(f"expected an object, found {node!r}")
    return cast("Mapping[str, Any]", node)
