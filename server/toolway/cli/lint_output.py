"""Options and output of ``toolway lint``."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import click

from toolway.catalog.schema.sanitize import strip_invisible
from toolway.cli.output_streams import echo, format_json
from toolway.lint import BYTES_PER_TOKEN, RULES, Finding, Level, Location, Report, Rule

__all__ = ["parse_fail_on", "parse_rules", "print_report", "print_report_json"]

_MAX_WIDTH = 120
_MAX_LOCATIONS = 5
"""Findings shown of each rule without ``--all``."""
_MAX_COSTS = 10
_LEVELS: dict[str, set[str]] = {"never": set(), "error": {"error"}, "warn": {"error", "warn"}}
_COLORS = {"error": "red", "warn": "yellow", "info": "cyan"}


def parse_fail_on(_context: click.Context, _option: click.Parameter, value: str) -> frozenset[str]:
    """Parse ``--fail-on``: comma-separated rule ids, ``error``, ``warn`` (includes errors) or ``never``."""
    limits: set[str] = set()
    for word in (part.strip() for part in value.split(",")):
        if word not in _LEVELS and word.upper() not in RULES:
            raise click.BadParameter(f"expected error, warn, never or rules ({', '.join(RULES)}), got {word!r}")
        limits |= _LEVELS.get(word, {word.upper()})
    return frozenset(limits)


def parse_rules(_context: click.Context, _option: click.Parameter, value: str) -> frozenset[str]:
    """Parse ``--only``: comma-separated rule ids."""
    names = frozenset(part.strip().upper() for part in value.split(",") if part.strip())
    if unknown := sorted(names - RULES.keys()):
        raise click.BadParameter(f"expected rules ({', '.join(RULES)}), got {unknown[0]!r}")
    return names


def print_report_json(report: Report) -> None:
    """Print the whole report as JSON."""
    echo(format_json(report.to_dict()))


def print_report(report: Report, *, show_all: bool) -> None:
    """Print the report as text: a summary of the rules, their findings, and the token cost of the tools."""
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    limit = None if show_all else _MAX_LOCATIONS
    groups = _group_by_rule(report.findings)
    for rule, findings in groups:
        echo(f"{rule.id}  {_level_of(findings):5}  {len(findings):>6,}  {rule.title}")
    if groups:
        echo("")
    for rule, findings in groups:
        level = _level_of(findings)
        echo(f"{rule.id} {level}: {rule.title}", fg=_COLORS[level], bold=True)
        _echo_block(_iter_rule_lines(rule, findings, report.aliases, width, limit))
    _echo_block(_iter_suppressed_lines(report, width))
    _echo_block(_iter_cost_lines(report))
    echo(_format_summary(report))


def _echo_block(lines: Iterable[str]) -> None:
    """Print lines, followed by an empty one."""
    if text := "\n".join(lines):
        echo(text + "\n")


def _group_by_rule(findings: Sequence[Finding]) -> list[tuple[Rule, list[Finding]]]:
    """Group findings by rule, errors first."""
    found: dict[Rule, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.rule, []).append(finding)
    return sorted(found.items(), key=lambda entry: list(_COLORS).index(_level_of(entry[1])))


def _level_of(findings: Sequence[Finding]) -> Level:
    return findings[0].level


def _iter_rule_lines(
    rule: Rule, findings: list[Finding], aliases: Mapping[str, str], width: int, limit: int | None
) -> Iterator[str]:
    yield from _wrap(f"Why: {rule.why}", width, "  ")
    yield from _wrap(f"Fix: {rule.fix}", width, "  ")
    lines = list(_iter_location_lines(findings, aliases))
    for line in lines[:limit]:
        yield from _wrap(line, width, "    ")
    if limit is not None and len(lines) > limit:
        yield f"    ... and {len(lines) - limit:,} more; --all shows them"


def _iter_location_lines(findings: list[Finding], aliases: Mapping[str, str]) -> Iterator[str]:
    """Yield one line per endpoint and message, with all paths of the endpoint and all arguments it applies to."""
    arguments: dict[tuple[Location, str], list[str]] = {}
    for finding in findings:
        found = arguments.setdefault((replace(finding.location, parameter=None), finding.message), [])
        found.extend([finding.location.parameter] if finding.location.parameter else [])
    endpoints: dict[tuple[str, str, str], list[str]] = {}
    for (location, message), names in arguments.items():
        endpoint = aliases.get(location.tool or "", str(location))
        endpoints.setdefault((endpoint, ", ".join(names), message), []).append(str(location))
    for (_, names, message), locations in endpoints.items():
        where = " ".join(filter(None, (", ".join(locations), names)))
        yield f"{where}: {message}" if where else message


def _wrap(text: str, width: int, indent: str) -> list[str]:
    wrapper = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    wrapper.initial_indent, wrapper.subsequent_indent = indent, indent + "  "
    return wrapper.wrap(" ".join(strip_invisible(text).split()))  # an OpenAPI document may contain terminal escapes


def _iter_suppressed_lines(report: Report, width: int) -> Iterator[str]:
    for entry in report.suppressed:
        finding = entry.finding
        yield from _wrap(f"Suppressed: {finding.rule.id} {finding.location}: {entry.reason}", width, "")


def _iter_cost_lines(report: Report) -> Iterator[str]:
    if not report.costs:
        return
    yield f"{'bytes':>9}  {'tokens':>7}  share  tool"
    for cost in report.costs[:_MAX_COSTS]:
        yield f"{cost.size:>9,}  {cost.tokens:>7,}  {cost.share:>5.1%}  {cost.location.tool}"
    rest = report.costs[_MAX_COSTS:]
    if rest:
        size = sum(cost.size for cost in rest)
        others = _format_count(len(rest), "other tool")
        yield f"{size:>9,}  {size // BYTES_PER_TOKEN:>7,}  {size / report.size:>5.1%}  {others}"


def _format_summary(report: Report) -> str:
    counts = [
        _format_count(report.levels["error"], "error"),
        _format_count(report.levels["warn"], "warning"),
        _format_count(report.levels["info"], "note"),
        f"{len(report.suppressed)} suppressed",
    ]
    return f"{_format_count(len(report.costs), 'tool')}, about {report.tokens:,} tokens: {', '.join(counts)}"


def _format_count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
