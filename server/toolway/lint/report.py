"""The report on a catalog: findings, suppressed findings, and the cost of each tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from toolway.lint.finding import Finding, Level, Location
from toolway.lint.lint_context import BYTES_PER_TOKEN

__all__ = ["Cost", "Report", "Suppressed"]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that the endpoint suppresses with ``lint_ignore``, and its reason."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Cost:
    """The size of one tool definition in the model's context."""

    location: Location
    size: int
    """Bytes as JSON."""
    share: float
    """Fraction of all definitions, 0 to 1."""

    @property
    def tokens(self) -> int:
        return self.size // BYTES_PER_TOKEN

    def to_dict(self) -> dict[str, Any]:
        """Return the cost as JSON."""
        return {
            "tool": self.location.tool,
            "method": self.location.method,
            "path": self.location.path,
            "bytes": self.size,
            "tokens": self.tokens,
            "share": round(self.share, 4),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The result of linting a catalog."""

    server: str
    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    costs: tuple[Cost, ...]
    """The cost of each tool, the most expensive first."""
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    """The first tool for an endpoint, by each tool that calls that endpoint with the same arguments."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings of level ``error``."""
        return tuple(finding for finding in self.findings if finding.level == "error")

    @property
    def size(self) -> int:
        """Bytes of all definitions."""
        return sum(cost.size for cost in self.costs)

    @property
    def tokens(self) -> int:
        return self.size // BYTES_PER_TOKEN

    @property
    def levels(self) -> Counter[Level]:
        return Counter(finding.level for finding in self.findings)

    def has_any(self, limits: frozenset[str]) -> bool:
        """Return whether there is a finding of one of these levels or rules."""
        return any(finding.level in limits or finding.rule.id in limits for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return {
            "server": self.server,
            "tools": len(self.costs),
            "bytes": self.size,
            "tokens": self.tokens,
            "levels": {level: self.levels[level] for level in ("error", "warn", "info")},
            "findings": [finding.to_dict() for finding in self.findings],
            "suppressed": [{**entry.finding.to_dict(), "reason": entry.reason} for entry in self.suppressed],
            "costs": [cost.to_dict() for cost in self.costs],
        }
