"""What came of a call, in no protocol's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

__all__ = ["Audio", "Blob", "Content", "Image", "Outcome", "Text"]


@dataclass(frozen=True, slots=True)
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


Content: TypeAlias = Text | Image | Audio | Blob


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the caller gets."""

    content: tuple[Content, ...]
    structured: bytes | None = None
    """The endpoint's own JSON, byte for byte; None where the answer is no JSON."""
    error: Mapping[str, Any] | None = field(default=None)
    """None for a success. Otherwise what a program can read of the failure: `status` (None where the endpoint was not
    reached), and of `problems`, `detail` and `reference` what there is."""
    status: int | None = None
    """The HTTP status of the endpoint's answer; None where the endpoint was not reached."""

    @property
    def is_error(self) -> bool:
        return self.error is not None
