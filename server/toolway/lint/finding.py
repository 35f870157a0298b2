"""Rules, and findings of them at places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from toolway.catalog import Tool

__all__ = ["Finding", "Level", "Place", "Rule"]

Level: TypeAlias = Literal["error", "warn", "info"]
"""``error``: some client or agent fails here; ``warn``: agents do worse; ``info``: worth knowing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found; all None where it concerns the whole catalogue."""

    method: str | None = None
    path: str | None = None
    tool: str | None = None
    parameter: str | None = None
    """The tool's argument."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}" if self.method else ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to look for."""

    id: str
    level: Level
    title: str
    """What is found, in a few words."""
    why: str
    fix: str
    """What to write instead."""

    def at(self, tool: Tool, message: str, parameter: str | None = None) -> Finding:
        operation = tool.operation
        return Finding(self, self.level, message, Place(operation.method, operation.path, tool.name, parameter))

    def overall(self, message: str, level: Level | None = None) -> Finding:
        return Finding(self, level or self.level, message, Place())


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that something breaks, and where."""

    rule: Rule
    level: Level
    message: str
    place: Place

    def wire(self) -> dict[str, Any]:
        """The finding as JSON, complete in itself."""
        place = self.place
        return {
            "rule": self.rule.id,
            "level": self.level,
            "method": place.method,
            "path": place.path,
            "tool": place.tool,
            "parameter": place.parameter,
            "message": self.message,
            "why": self.rule.why,
            "fix": self.rule.fix,
        }
