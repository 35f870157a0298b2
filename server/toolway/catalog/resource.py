"""A resource: one GET operation, as a client reads it by URI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolway.catalog.arguments import Argument
from toolway.catalog.marker_fields import marker_fields
from toolway.catalog.schema.definitions import deref
from toolway.catalog.schema.sanitize import visible
from toolway.catalog.suggestions import Completion
from toolway.catalog.tool import Tool
from toolway.errors import ConfigurationError
from toolway.openapi import Operation

__all__ = ["Resource", "resource_of"]


@dataclass(frozen=True, slots=True)
class Resource:
    """What can be read under a URI, or under all that a template stands for, and the operation that answers."""

    uri: str
    """As it was written: with variables it is a template (RFC 6570)."""
    name: str
    title: str
    description: str
    mime_type: str | None
    """The media type in lists; None where it is not known before a read."""
    tool: Tool
    """The operation, with its arguments, which are the template's variables."""
    completions: Mapping[str, Completion]
    lists: frozenset[str] = frozenset()
    """The arguments that take several values."""

    @property
    def is_template(self) -> bool:
        return "{" in self.uri

    def definition(self) -> dict[str, Any]:
        """The resource's entry in a list."""
        entry = {
            "uriTemplate" if self.is_template else "uri": self.uri,
            "name": self.name,
            "title": self.title,
            "description": self.description,
        }
        return entry if self.mime_type is None else {**entry, "mimeType": self.mime_type}


def resource_of(tool: Tool, note: Mapping[str, Any], completions: Mapping[str, Completion]) -> Resource:
    """Make the resource that an endpoint's marker describes.

    Raises:
        ConfigurationError: a field is unknown, missing or no text, or the operation is no GET.
    """
    operation = tool.operation
    fields = marker_fields(operation, note, "resource", ("uri", "name", "title", "description", "mime_type"))
    if not fields.get("uri"):
        raise ConfigurationError(f"{operation}: resource needs a uri, such as 'orders://{{order_id}}'")
    if operation.method != "GET":
        raise ConfigurationError(f"{operation}: only GET operations can be resources, as reading must change nothing")
    return Resource(
        uri=fields["uri"],
        name=fields.get("name", tool.name),
        title=visible(fields.get("title", tool.title)),
        description=visible(fields.get("description", tool.description)),
        mime_type=fields.get("mime_type", _documented_type(operation)),
        tool=tool,
        completions=completions,
        lists=frozenset(name for name, argument in tool.arguments.items() if _is_list(argument, operation)),
    )


def _is_list(argument: Argument, operation: Operation) -> bool:
    schema = deref(argument.schema, operation.components)
    variants = (schema, *(deref(variant, operation.components) for variant in schema.get("anyOf", ())))
    return any(variant.get("type") == "array" for variant in variants)


def _documented_type(operation: Operation) -> str | None:
    """The media type of the operation's success, where the document names one."""
    return next((response.media_type for response in operation.responses if response.status.startswith("2")), None)
