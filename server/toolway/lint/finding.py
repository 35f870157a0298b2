"""Rules, findings and their locations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from toolway.catalog import EndpointTool

__all__ = ["Finding", "Level", "Location", "Rule"]

Level: TypeAlias = Literal["error", "warn", "info"]
"""``error``: some client or agent fails; ``warn``: agents perform worse; ``info``: worth knowing."""


@dataclass(frozen=True, slots=True)
class Location:
    """The location of a finding; all fields are None for a finding on the whole catalog."""

    method: str | None = None
    path: str | None = None
    tool: str | None = None
    parameter: str | None = None
    """The tool argument."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}" if self.method else ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A problem that the linter looks for."""

    id: str
    level: Level
    title: str
    """The problem in a few words."""
    why: str
    """The effect on clients and agents, in a sentence."""
    fix: str
    """The change that resolves it, in a sentence."""

    def at(self, tool: EndpointTool, message: str, parameter: str | None = None) -> Finding:
        operation = tool.operation
        return Finding(self, self.level, message, Location(operation.method, operation.path, tool.name, parameter))

    def overall(self, message: str, level: Level | None = None) -> Finding:
        return Finding(self, level or self.level, message, Location())


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation of a rule at a location."""

    rule: Rule
    level: Level
    message: str
    location: Location

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON, together with the texts of its rule."""
        location = self.location
        return {
            "rule": self.rule.id,
            "level": self.level,
            "method": location.method,
            "path": location.path,
            "tool": location.tool,
            "parameter": location.parameter,
            "message": self.message,
            "why": self.rule.why,
            "fix": self.rule.fix,
        }
