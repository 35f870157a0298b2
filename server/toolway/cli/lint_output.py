"""Options and output of ``toolway lint``."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import click

from toolway.catalog.schema.sanitize import strip_invisible
from toolway.cli.output import echo, json_text
from toolway.lint import BYTES_PER_TOKEN, RULES, Finding, Level, Location, Report, Rule

__all__ = ["read_limits", "read_rules", "show_report", "show_report_json"]

_WIDEST = 120
_PLACES = 5
"""Findings shown of each rule without ``--all``."""
_DEAREST = 10
_LEVELS: dict[str, set[str]] = {"never": set(), "error": {"error"}, "warn": {"error", "warn"}}
_COLOURS = {"error": "red", "warn": "yellow", "info": "cyan"}


def read_limits(_context: click.Context, _option: click.Parameter, value: str) -> frozenset[str]:
    """Parse ``--fail-on``: comma-separated rule ids, ``error``, ``warn`` (includes errors) or ``never``."""
    limits: set[str] = set()
    for word in (part.strip() for part in value.split(",")):
        if word not in _LEVELS and word.upper() not in RULES:
            raise click.BadParameter(f"expected error, warn, never or rules ({', '.join(RULES)}), got {word!r}")
        limits |= _LEVELS.get(word, {word.upper()})
    return frozenset(limits)


def read_rules(_context: click.Context, _option: click.Parameter, value: str) -> frozenset[str]:
    """Parse ``--only``: comma-separated rule ids."""
    names = frozenset(part.strip().upper() for part in value.split(",") if part.strip())
    if unknown := sorted(names - RULES.keys()):
        raise click.BadParameter(f"expected rules ({', '.join(RULES)}), got {unknown[0]!r}")
    return names


def show_report_json(report: Report) -> None:
    """Print the whole report as JSON."""
    echo(json_text(report.to_dict()))


def show_report(report: Report, *, every_place: bool) -> None:
    """Print the report as text: a summary of the rules, their findings, and the token cost of the tools."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    most = None if every_place else _PLACES
    groups = _by_rule(report.findings)
    for rule, findings in groups:
        echo(f"{rule.id}  {_level(findings):5}  {len(findings):>6,}  {rule.title}")
    if groups:
        echo("")
    for rule, findings in groups:
        level = _level(findings)
        echo(f"{rule.id} {level}: {rule.title}", fg=_COLOURS[level], bold=True)
        _echo_block(_rule_lines(rule, findings, report.aliases, width, most))
    _echo_block(_suppressed_lines(report, width))
    _echo_block(_cost_lines(report))
    echo(_verdict(report))


def _echo_block(lines: Iterable[str]) -> None:
    """Print lines, followed by an empty one."""
    if text := "\n".join(lines):
        echo(text + "\n")


def _by_rule(findings: Sequence[Finding]) -> list[tuple[Rule, list[Finding]]]:
    """Group findings by rule, errors first."""
    found: dict[Rule, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.rule, []).append(finding)
    return sorted(found.items(), key=lambda entry: list(_COLOURS).index(_level(entry[1])))


def _level(findings: Sequence[Finding]) -> Level:
    return findings[0].level


def _rule_lines(
    rule: Rule, findings: list[Finding], aliases: Mapping[str, str], width: int, most: int | None
) -> Iterator[str]:
    yield from _wrapped(f"Why: {rule.why}", width, "  ")
    yield from _wrapped(f"Fix: {rule.fix}", width, "  ")
    places = list(_places(findings, aliases))
    for line in places[:most]:
        yield from _wrapped(line, width, "    ")
    if most is not None and len(places) > most:
        yield f"    ... and {len(places) - most:,} more; --all shows them"


def _places(findings: list[Finding], aliases: Mapping[str, str]) -> Iterator[str]:
    """Yield one line per endpoint and message, with all paths of the endpoint and all arguments it applies to."""
    arguments: dict[tuple[Location, str], list[str]] = {}
    for finding in findings:
        found = arguments.setdefault((replace(finding.location, parameter=None), finding.message), [])
        found.extend([finding.location.parameter] if finding.location.parameter else [])
    endpoints: dict[tuple[str, str, str], list[str]] = {}
    for (place, message), names in arguments.items():
        endpoint = aliases.get(place.tool or "", str(place))
        endpoints.setdefault((endpoint, ", ".join(names), message), []).append(str(place))
    for (_, names, message), places in endpoints.items():
        where = " ".join(filter(None, (", ".join(places), names)))
        yield f"{where}: {message}" if where else message


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    wrapper = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    wrapper.initial_indent, wrapper.subsequent_indent = indent, indent + "  "
    return wrapper.wrap(" ".join(strip_invisible(text).split()))  # an OpenAPI document may contain terminal escapes


def _suppressed_lines(report: Report, width: int) -> Iterator[str]:
    for entry in report.suppressed:
        finding = entry.finding
        yield from _wrapped(f"Suppressed: {finding.rule.id} {finding.location}: {entry.reason}", width, "")


def _cost_lines(report: Report) -> Iterator[str]:
    if not report.costs:
        return
    yield f"{'bytes':>9}  {'tokens':>7}  share  tool"
    for cost in report.costs[:_DEAREST]:
        yield f"{cost.size:>9,}  {cost.tokens:>7,}  {cost.share:>5.1%}  {cost.location.tool}"
    rest = report.costs[_DEAREST:]
    if rest:
        size = sum(cost.size for cost in rest)
        others = _counted(len(rest), "other tool")
        yield f"{size:>9,}  {size // BYTES_PER_TOKEN:>7,}  {size / report.size:>5.1%}  {others}"


def _verdict(report: Report) -> str:
    counts = [
        _counted(report.levels["error"], "error"),
        _counted(report.levels["warn"], "warning"),
        _counted(report.levels["info"], "note"),
        f"{len(report.suppressed)} suppressed",
    ]
    return f"{_counted(len(report.costs), 'tool')}, about {report.tokens:,} tokens: {', '.join(counts)}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
