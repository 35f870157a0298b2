"""The linter: applies the rules to a catalog, or to an application in its own tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from fastapi import FastAPI

from toolway import Toolway
from toolway.app import engine_of
from toolway.catalog import Catalog
from toolway.clients import server_name
from toolway.errors import ConfigurationError
from toolway.lint import (
    cost_rules,
    description_rules,
    exposure_rules,
    name_rules,
    result_rules,
    safety_rules,
    schema_rules,
)
from toolway.lint.finding import Finding, Location, Rule
from toolway.lint.lint_context import Check, LintContext
from toolway.lint.report import Cost, Report, Suppressed
from toolway.mounts import mounted_on

__all__ = ["RULES", "check", "lint"]

_MODULES = (name_rules, description_rules, schema_rules, cost_rules, result_rules, safety_rules, exposure_rules)
_FAMILIES = "NDSCRAX"
"""The first letters of rule ids, in the order of the report."""
_CHECKS: dict[Rule, Check] = dict(
    sorted(
        (entry for module in _MODULES for entry in module.CHECKS.items()),
        key=lambda entry: (_FAMILIES.index(entry[0].id[0]), entry[0].id),
    )
)
RULES = {rule.id: rule for rule in _CHECKS}
"""Rules by id, in the order of the report."""


def check(app: FastAPI | Toolway, *, only: Collection[str] = (), tools: Collection[str] = ()) -> Report:
    """Lint the tools of an application without starting it.

    For use in the application's tests::

        def test_agents_can_use_every_endpoint() -> None:
            report = check(app)
            assert not report.errors

    Args:
        app: the application, linted with the filters of the first Toolway mounted on it, or a Toolway.
        only: ids of the rules to apply, such as ``{"D1", "N1"}``. Defaults to all.
        tools: names of the tools to report on. Defaults to all.

    Raises:
        ConfigurationError: a rule or a tool is unknown, or the catalog cannot be built.
    """
    engine = engine_of(app) if isinstance(app, Toolway) else mounted_on(app) or engine_of(Toolway(app))
    return lint(engine.toolway.read_catalog(), server_name(engine.title), only=only, tools=tools)


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
    context = LintContext(catalog, server)
    _require_known("only", "rule", only, RULES)
    _require_known("tools", "tool", tools, catalog.tools)
    for note in context.notes.values():
        _require_known("lint_ignore", "rule", note.get("lint_ignore", {}), RULES)
    findings: list[Finding] = []
    suppressed: list[Suppressed] = []
    for rule, find in _CHECKS.items():
        if only and rule.id not in only:
            continue
        for finding in find(context):
            if tools and finding.location.tool not in tools:
                continue
            note = context.notes.get(finding.location.tool or "", {})
            reason = note.get("lint_ignore", {}).get(finding.rule.id)
            if reason is None:
                findings.append(finding)
            else:
                suppressed.append(Suppressed(finding, reason))
    costs = tuple(cost for cost in _measure_costs(context) if not tools or cost.location.tool in tools)
    return Report(server, tuple(findings), tuple(suppressed), costs, context.aliases)


def _require_known(option: str, kind: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name.upper() if kind == "rule" else name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            every = f"; the rules are {', '.join(RULES)}" if kind == "rule" else ""
            raise ConfigurationError(f"{option} names an unknown {kind}: {name!r}{every}{hint}")


def _measure_costs(context: LintContext) -> list[Cost]:
    """Return the cost of each tool, the most expensive first."""
    total = sum(context.sizes.values())
    costs: list[Cost] = []
    for tool in context.tools:
        size = context.sizes[tool.name]
        costs.append(Cost(Location(tool.operation.method, tool.operation.path, tool.name), size, size / total))
    return sorted(costs, key=lambda cost: -cost.size)
