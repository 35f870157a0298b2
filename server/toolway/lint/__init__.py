"""The linter: rules about what trips up agents, and the token cost of tool definitions."""

from toolway.lint.check import check
from toolway.lint.finding import Finding, Level, Place, Rule
from toolway.lint.report import Report, lint
from toolway.lint.rules import RULES
from toolway.lint.survey import BYTES_PER_TOKEN

__all__ = ["BYTES_PER_TOKEN", "RULES", "Finding", "Level", "Place", "Report", "Rule", "check", "lint"]
