"""What came of a call, in no protocol's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

__all__ = ["Audio", "Blob", "Content", "Deliver", "Document", "Image", "McpContent", "Outcome", "Text"]


@dataclass(slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Audio:
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Blob:
    """Any other bytes; `uri` only tells several of them apart."""

    data: bytes
    media_type: str
    uri: str


@dataclass(frozen=True, slots=True)
class McpContent:
    """Content as the endpoint has written it, in the JSON of MCP (see `toolway.content`)."""

    block: Mapping[str, Any]


Content: TypeAlias = Text | Image | Audio | Blob | McpContent


@dataclass(slots=True)  # made for every call, and to freeze it takes its time
class Outcome:
    """What the caller gets; never changed."""

    content: tuple[Content, ...]
    structured: bytes | None = None
    """The endpoint's own JSON, byte for byte; None where the answer is no JSON."""
    error: Mapping[str, Any] | None = field(default=None)
    """None for a success. Otherwise what a program can read of the failure: `status` (None where the endpoint was not
    reached), and of `problems`, `detail` and `reference` what there is."""
    status: int | None = None
    """The HTTP status of the endpoint's answer; None where the endpoint was not reached."""
    breaks_schema: bool = False
    """Whether a success became an error because it does not match the tool's output schema."""

    @property
    def is_error(self) -> bool:
        return self.error is not None


Deliver: TypeAlias = Callable[[Outcome], Awaitable[None]]
"""Gets a call's outcome, once, as soon as it is known."""


@dataclass(slots=True)
class Document(Outcome):
    """A success, taken as a document: its content is one text or blob, whatever its kind."""

    media_type: str = ""
    """Empty where the answer does not say it."""
    cache_control: str = ""
    """The answer's own word on how long it stays fresh, and for whom (RFC 9111)."""
