"""Resources: GET operations that clients read by URI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolway.catalog.arguments import Argument
from toolway.catalog.marker_fields import read_marker_texts
from toolway.catalog.schema.definitions import dereference
from toolway.catalog.schema.sanitize import strip_invisible
from toolway.catalog.suggestions import Completion
from toolway.catalog.tool import EndpointTool
from toolway.errors import ConfigurationError
from toolway.markers import Marker
from toolway.openapi import Operation

__all__ = ["Resource", "build_resource"]


@dataclass(frozen=True, slots=True)
class Resource:
    """An operation that clients read under a URI, or under every URI of a template."""

    uri: str
    """A URI or, with variables, a URI template (RFC 6570)."""
    name: str
    title: str
    description: str
    mime_type: str | None
    """The media type in lists; None if only the response has it."""
    tool: EndpointTool
    """The operation; its arguments are the template's variables."""
    completions: Mapping[str, Completion]
    lists: frozenset[str] = frozenset()
    """The names of arguments that take several values."""

    @property
    def is_template(self) -> bool:
        return "{" in self.uri

    def definition(self) -> dict[str, Any]:
        """Return the resource's entry in a list."""
        entry = {
            "uriTemplate" if self.is_template else "uri": self.uri,
            "name": self.name,
            "title": self.title,
            "description": self.description,
        }
        return entry if self.mime_type is None else {**entry, "mimeType": self.mime_type}


def build_resource(tool: EndpointTool, marker: Marker, completions: Mapping[str, Completion]) -> Resource:
    """Return the resource that an endpoint's marker describes.

    Raises:
        ConfigurationError: a field is unknown, missing or not a string, or the operation is not a GET.
    """
    operation = tool.operation
    fields = read_marker_texts(operation, marker, "resource", ("uri", "name", "title", "description", "mime_type"))
    if not fields.get("uri"):
        raise ConfigurationError(f"{operation}: expected the resource to have a uri, such as 'orders://{{order_id}}'")
    if operation.method != "GET":
        raise ConfigurationError(
            f"{operation}: only GET operations can be resources, because a read must not change anything"
        )
    return Resource(
        uri=fields["uri"],
        name=fields.get("name", tool.name),
        title=strip_invisible(fields.get("title", tool.title)),
        description=strip_invisible(fields.get("description", tool.description)),
        mime_type=fields.get("mime_type", _find_media_type(operation)),
        tool=tool,
        completions=completions,
        lists=frozenset(name for name, argument in tool.arguments.items() if _is_list(argument, operation)),
    )


def _is_list(argument: Argument, operation: Operation) -> bool:
    schema = dereference(argument.schema, operation.components)
    variants = (schema, *(dereference(variant, operation.components) for variant in schema.get("anyOf", ())))
    return any(variant.get("type") == "array" for variant in variants)


def _find_media_type(operation: Operation) -> str | None:
    """Return the media type of a successful response, or None if the OpenAPI document has none."""
    return next((response.media_type for response in operation.responses if response.status.startswith("2")), None)
