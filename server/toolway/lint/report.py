"""The report on a catalog: findings, suppressed findings, and the cost of each tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from toolway.catalog import Catalog
from toolway.errors import ConfigurationError
from toolway.lint.finding import Finding, Level, Place
from toolway.lint.rules import CHECKS, RULES
from toolway.lint.survey import BYTES_PER_TOKEN, Survey

__all__ = ["Cost", "Report", "Suppressed", "lint"]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that the endpoint suppresses with ``lint_ignore``, and its reason."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Cost:
    """The size of one tool definition in the model's context."""

    place: Place
    size: int
    """Bytes on the wire."""
    share: float
    """Fraction of all definitions, 0 to 1."""

    @property
    def tokens(self) -> int:
        return self.size // BYTES_PER_TOKEN


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

    def breaks(self, limits: frozenset[str]) -> bool:
        """Return whether there is a finding of one of these levels or rules."""
        return any(finding.level in limits or finding.rule.id in limits for finding in self.findings)

    def wire(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return {
            "server": self.server,
            "tools": len(self.costs),
            "bytes": self.size,
            "tokens": self.tokens,
            "levels": {level: self.levels[level] for level in ("error", "warn", "info")},
            "findings": [finding.wire() for finding in self.findings],
            "suppressed": [{**entry.finding.wire(), "reason": entry.reason} for entry in self.suppressed],
            "costs": [_cost(cost) for cost in self.costs],
        }


def lint(catalog: Catalog, server: str, *, only: Collection[str] = (), tools: Collection[str] = ()) -> Report:
    """Lint a catalog.

    Args:
        catalog: the tools.
        server: the server name that clients prefix tool names with.
        only: ids of the rules to apply. Defaults to all.
        tools: names of the tools to report on. Defaults to all.

    Raises:
        ConfigurationError: `only` or an endpoint's ``lint_ignore`` names an unknown rule, or `tools` an unknown tool.
    """
    survey = Survey(catalog, server)
    _check_known("only", "rule", only, RULES)
    _check_known("tools", "tool", tools, catalog.tools)
    for note in survey.notes.values():
        _check_known("lint_ignore", "rule", note.get("lint_ignore", {}), RULES)
    findings: list[Finding] = []
    suppressed: list[Suppressed] = []
    for rule, check in CHECKS.items():
        if only and rule.id not in only:
            continue
        for finding in check(survey):
            if tools and finding.place.tool not in tools:
                continue
            note = survey.notes.get(finding.place.tool or "", {})
            reason = note.get("lint_ignore", {}).get(finding.rule.id)
            if reason is None:
                findings.append(finding)
            else:
                suppressed.append(Suppressed(finding, reason))
    costs = tuple(cost for cost in _costs(survey) if not tools or cost.place.tool in tools)
    return Report(server, tuple(findings), tuple(suppressed), costs, survey.aliases)


def _check_known(option: str, kind: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name.upper() if kind == "rule" else name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            every = f"; the rules are {', '.join(RULES)}" if kind == "rule" else ""
            raise ConfigurationError(f"{option} names an unknown {kind}: {name!r}{every}{hint}")


def _costs(survey: Survey) -> tuple[Cost, ...]:
    total = sum(survey.sizes.values())
    places = (
        (Place(tool.operation.method, tool.operation.path, tool.name), survey.sizes[tool.name]) for tool in survey.tools
    )
    costs = (Cost(place, size, size / total) for place, size in places)
    return tuple(sorted(costs, key=lambda cost: -cost.size))


def _cost(cost: Cost) -> dict[str, Any]:
    return {
        "tool": cost.place.tool,
        "method": cost.place.method,
        "path": cost.place.path,
        "bytes": cost.size,
        "tokens": cost.tokens,
        "share": round(cost.share, 4),
    }
