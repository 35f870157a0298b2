"""The protocol-independent result of a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

from toolway.content import Content, TextContent

__all__ = ["Deliver", "Document", "Outcome"]


@dataclass(slots=True)  # one is created for every call, and a frozen one takes longer to create
class Outcome:
    """The result of a call for its caller. It is never changed after it has been created."""

    blocks: tuple[Content, ...] = ()
    """The content; empty if the only content is the structured content as text."""
    structured: bytes | None = None
    """The JSON that the endpoint sent, byte for byte; None if the response is not JSON."""
    error: Mapping[str, Any] | None = None
    """None for a success. For an error, the facts for programs: `status` (None if the endpoint was not reached) and,
    where they apply, `problems`, `detail` and `reference`."""
    status: int | None = None
    """The HTTP status of the response; None if the endpoint was not reached."""
    breaks_schema: bool = False
    """Whether a success became an error because it does not match the tool's output schema."""
    truncation: str = ""
    """The note about what was cut from a result that was too long; empty for a whole one."""

    @property
    def content(self) -> tuple[Content, ...]:
        """The content that agents read: `blocks`, or the structured content as text."""
        if self.blocks or self.structured is None:
            return self.blocks
        return (TextContent(text=self.structured.decode()),)

    @property
    def is_error(self) -> bool:
        return self.error is not None

    def with_structured(self, body: bytes) -> Self:
        """Return the same outcome with other structured content, also where its content repeats that as text."""
        former, text = (self.structured or b"").decode() if self.blocks else "", body.decode()
        blocks = (
            TextContent(text=text, meta=block.meta)
            if isinstance(block, TextContent) and block.text == former
            else block
            for block in self.blocks
        )
        return replace(self, blocks=tuple(blocks), structured=body)

    def with_text(self, text: str) -> Self:
        """Return the same outcome with one more text at the end of its content."""
        return replace(self, blocks=(*self.content, TextContent(text=text)))


Deliver: TypeAlias = Callable[[Outcome], Awaitable[None]]
"""Receives a call's outcome once, as soon as it is known."""


@dataclass(slots=True)
class Document(Outcome):
    """A success read as the contents of a resource: its content is one `EmbeddedResource` with an empty URI."""

    cache_control: str = ""
    """The Cache-Control header of the response (RFC 9111)."""
