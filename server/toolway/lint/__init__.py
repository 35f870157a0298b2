"""The linter: rules about what trips up agents, and the token cost of tool definitions."""

from toolway.lint.finding import Finding, Level, Location, Rule
from toolway.lint.lint_context import BYTES_PER_TOKEN
from toolway.lint.linter import RULES, check, lint
from toolway.lint.report import Report

__all__ = ["BYTES_PER_TOKEN", "RULES", "Finding", "Level", "Location", "Report", "Rule", "check", "lint"]
