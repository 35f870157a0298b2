"""All rules with their checks, in the order of the report."""

from __future__ import annotations

from toolway.lint import callers, cost, descriptions, exposure, injection, names, results, safety, schemas
from toolway.lint.finding import Rule
from toolway.lint.survey import Check

__all__ = ["CHECKS", "RULES"]

_FAMILIES = "NDSCRAX"
_FOUND = {
    rule: check
    for module in (names, descriptions, injection, schemas, cost, results, safety, callers, exposure)
    for rule, check in module.CHECKS.items()
}


def _order(rule: Rule) -> tuple[int, str]:
    return _FAMILIES.index(rule.id[0]), rule.id


CHECKS: dict[Rule, Check] = {rule: _FOUND[rule] for rule in sorted(_FOUND, key=_order)}

RULES = {rule.id: rule for rule in CHECKS}
"""Rules by id."""
