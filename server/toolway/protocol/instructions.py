"""What a server says of itself, before anything of it is used."""

from __future__ import annotations

import logging

__all__ = ["LONGEST", "truncate_instructions"]

logger = logging.getLogger("toolway.protocol")

LONGEST = 2000
"""Clients cut instructions at 2 kB, some of them in the middle of a word and without saying so."""


def truncate_instructions(text: str) -> str:
    """Cut instructions that are too long at the end of a line, a sentence or a word, and warn of it."""
    text = text.strip()
    if len(text.encode()) <= LONGEST:
        return text
    room = text.encode()[:LONGEST].decode(errors="ignore")
    ends = (room.rfind("\n"), room.rfind(". ") + 1, room.rfind(" "))
    cut = room[: next((end for end in ends if end > LONGEST // 2), len(room))].rstrip()
    logger.warning(
        "the instructions are longer than the %d bytes that clients show; they end at %r", LONGEST, cut[-40:]
    )
    return cut
