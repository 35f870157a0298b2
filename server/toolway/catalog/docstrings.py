"""Sections of docstrings that repeat the input schema, or describe exceptions that callers never see."""

from __future__ import annotations

import re

__all__ = ["split_description"]

_SECTION = re.compile(r"\s*#*\s*\**(Args|Arguments|Parameters|Params|Raises|Exceptions)\**\s*:\**\s*$", re.IGNORECASE)
_HEADING = re.compile(r"\s*(#+\s|\**[A-Z][A-Za-z ]{2,30}\**\s*:\**\s*$)")
_ENTRY = re.compile(r"\s*(?:[-*]\s+)?\**`?\**(\w+)`?\**\s*(?:\([^)]*\))?\s*:\s*(.*)$")


def split_description(text: str, title: str) -> tuple[str, dict[str, str]]:
    """Return a description without its title and its sections on arguments and exceptions, and the texts on arguments.

    Args:
        text: a description or a docstring, with sections as in Google's style or as Markdown headings.
        title: the title, which is removed where it is a paragraph of its own before others.
    """
    kept: list[str] = []
    entries: dict[str, str] = {}
    section, name = "", ""
    for line in text.splitlines():
        if found := _SECTION.match(line):
            section, name = found[1].casefold(), ""
        elif section and (_HEADING.match(line) or (line.strip() and not _belongs(line))):
            section = ""
        if not section:
            kept.append(line)
        elif section not in {"raises", "exceptions"}:
            if entry := _ENTRY.match(line):
                name = entry[1]
                entries[name] = entry[2].strip()
            elif name and line.strip():
                entries[name] = f"{entries[name]} {line.strip()}".strip()
    first, blank, rest = "\n".join(kept).strip().partition("\n\n")
    is_repeated = bool(blank and rest.strip()) and first.strip().rstrip(".").casefold() == title.rstrip(".").casefold()
    return re.sub(r"\n{3,}", "\n\n", rest if is_repeated else first + blank + rest).strip(), entries


def _belongs(line: str) -> bool:
    """Return whether a line belongs to the section before it: it is indented, or an item of a list."""
    return line[:1].isspace() or line.lstrip()[:1] in {"-", "*"} or _ENTRY.match(line) is not None
