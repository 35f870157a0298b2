"""MCP content and prompt messages that endpoints can return.

Each type is a Pydantic model. Over plain HTTP it is ordinary JSON, in the form that MCP defines.
https://modelcontextprotocol.io/specification/2026-07-28/schema#contentblock
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

__all__ = [
    "Annotations",
    "AudioContent",
    "Content",
    "EmbeddedResource",
    "ImageContent",
    "Message",
    "ResourceContents",
    "ResourceLink",
    "TextContent",
]


def _is_missing(value: object) -> bool:
    return value is None


class _Wire(BaseModel):
    """A model that is serialized with names in camel case, as in MCP."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)


class Annotations(_Wire):
    """The audience of content, its importance from 0 to 1, and the time of its last change."""

    audience: list[Literal["user", "assistant"]] | None = Field(default=None, exclude_if=_is_missing)
    priority: float | None = Field(default=None, ge=0, le=1, exclude_if=_is_missing)
    last_modified: datetime | None = Field(default=None, exclude_if=_is_missing)


class _Block(_Wire):
    annotations: Annotations | None = Field(default=None, exclude_if=_is_missing)
    meta: dict[str, Any] | None = Field(
        default=None, validation_alias="_meta", serialization_alias="_meta", exclude_if=_is_missing
    )
    """Data for programs, under keys such as ``example.com/pages``."""


def _decode_base64(value: object) -> object:
    """Decode bytes that are base64 in JSON."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(f"expected base64: {error}") from error


_Bytes: TypeAlias = Annotated[
    bytes,
    BeforeValidator(_decode_base64),
    PlainSerializer(lambda data: base64.b64encode(data).decode("ascii"), return_type=str),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]


class TextContent(_Block):
    """Text."""

    type: Literal["text"] = "text"
    text: str


class ImageContent(_Block):
    """An image: its bytes, and its media type such as ``image/png``."""

    type: Literal["image"] = "image"
    data: _Bytes
    mime_type: str


class AudioContent(_Block):
    """Audio: its bytes, and its media type such as ``audio/wav``."""

    type: Literal["audio"] = "audio"
    data: _Bytes
    mime_type: str


class ResourceContents(_Wire):
    """The contents of a resource: either text, or bytes in `blob`."""

    uri: str
    mime_type: str | None = Field(default=None, exclude_if=_is_missing)
    text: str | None = Field(default=None, exclude_if=_is_missing)
    blob: _Bytes | None = Field(default=None, exclude_if=_is_missing)

    @model_validator(mode="after")
    def _check_one_kind(self) -> Self:
        if (self.text is None) == (self.blob is None):
            raise ValueError("expected either text or blob")
        return self


class EmbeddedResource(_Block):
    """A resource with its contents, so that the agent need not read it."""

    type: Literal["resource"] = "resource"
    resource: ResourceContents


class ResourceLink(_Block):
    """A link to a resource that the agent may read by its URI."""

    type: Literal["resource_link"] = "resource_link"
    uri: str
    name: str
    title: str | None = Field(default=None, exclude_if=_is_missing)
    description: str | None = Field(default=None, exclude_if=_is_missing)
    mime_type: str | None = Field(default=None, exclude_if=_is_missing)
    size: int | None = Field(default=None, ge=0, exclude_if=_is_missing)


Content: TypeAlias = Annotated[
    TextContent | ImageContent | AudioContent | EmbeddedResource | ResourceLink, Field(discriminator="type")
]
"""Any content block."""


def _as_text(value: object) -> object:
    return {"type": "text", "text": value} if isinstance(value, str) else value


class Message(_Wire):
    """A message of a prompt: its role and its content; a string becomes a `TextContent`."""

    role: Literal["user", "assistant"] = "user"
    content: Annotated[Content, BeforeValidator(_as_text)]
