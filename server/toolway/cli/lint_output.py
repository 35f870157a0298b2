"""What ``toolway lint`` prints, and when it fails."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import click

from toolway.catalog.schema.sanitize import visible
from toolway.cli.output import echo, json_text
from toolway.lint import BYTES_PER_TOKEN, RULES, Finding, Level, Place, Report, Rule

__all__ = ["read_limits", "read_rules", "show_report", "show_report_json"]

_WIDEST = 120
_PLACES = 5
"""Places shown of each rule, unless all are wanted."""
_DEAREST = 10
_LEVELS: dict[str, set[str]] = {"never": set(), "error": {"error"}, "warn": {"error", "warn"}}
_COLOURS = {"error": "red", "warn": "yellow", "info": "cyan"}


def read_limits(_context: click.Context, _option: click.Parameter, value: str) -> frozenset[str]:
    """Read ``--fail-on``: ``error``, ``warn`` (errors, too), ``never``, or ids of rules, with commas between them."""
    limits: set[str] = set()
    for word in (part.strip() for part in value.split(",")):
        if word not in _LEVELS and word.upper() not in RULES:
            raise click.BadParameter(f"expected error, warn, never or rules of {', '.join(RULES)}; found {word!r}")
        limits |= _LEVELS.get(word, {word.upper()})
    return frozenset(limits)


def read_rules(_context: click.Context, _option: click.Parameter, value: str) -> frozenset[str]:
    """Read ``--only``: ids of rules, with commas between them."""
    names = frozenset(part.strip().upper() for part in value.split(",") if part.strip())
    if unknown := sorted(names - RULES.keys()):
        raise click.BadParameter(f"expected rules of {', '.join(RULES)}; got {unknown[0]!r}")
    return names


def show_report_json(report: Report) -> None:
    """Print the whole report for programs."""
    echo(json_text(report.wire()))


def show_report(report: Report, *, every_place: bool) -> None:
    """Print the report for people: the rules that are broken, then where, then what the tools cost."""
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
    """Print lines and an empty one after them."""
    if text := "\n".join(lines):
        echo(text + "\n")


def _by_rule(findings: Sequence[Finding]) -> list[tuple[Rule, list[Finding]]]:
    """The broken rules with their findings, errors first."""
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
    yield from _wrapped(f"Instead: {rule.fix}", width, "  ")
    places = list(_places(findings, aliases))
    for line in places[:most]:
        yield from _wrapped(line, width, "    ")
    if most is not None and len(places) > most:
        yield f"    ... and {len(places) - most:,} more places; --all shows them"


def _places(findings: list[Finding], aliases: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each endpoint and message, with every path of the endpoint and every argument concerned."""
    arguments: dict[tuple[Place, str], list[str]] = {}
    for finding in findings:
        found = arguments.setdefault((replace(finding.place, parameter=None), finding.message), [])
        found.extend([finding.place.parameter] if finding.place.parameter else [])
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
    return wrapper.wrap(" ".join(visible(text).split()))  # a document by others may try to steer the terminal


def _suppressed_lines(report: Report, width: int) -> Iterator[str]:
    for entry in report.suppressed:
        finding = entry.finding
        yield from _wrapped(f"Suppressed: {finding.rule.id} {finding.place}: {entry.reason}", width, "")


def _cost_lines(report: Report) -> Iterator[str]:
    if not report.costs:
        return
    yield f"{'bytes':>9}  {'tokens':>7}  share  tool"
    for cost in report.costs[:_DEAREST]:
        yield f"{cost.size:>9,}  {cost.tokens:>7,}  {cost.share:>5.1%}  {cost.place.tool}"
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
