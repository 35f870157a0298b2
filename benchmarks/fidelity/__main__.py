"""Score toolway and its peers with the fidelity suite, and write the tables.

    python -m benchmarks.fidelity              # all; writes RESULTS.md and results.json
    python -m benchmarks.fidelity fastmcp      # one of them; prints its score

The first run makes the environments of the peers, which takes a minute or two; a run of all takes two.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import anyio

from benchmarks.environments import ROOT, NotInstalledError, versions_of
from benchmarks.fidelity.entries import ENTRIES, Entry
from benchmarks.fidelity.kinds import DIED, kind_of
from benchmarks.fidelity.record import Record, Run, Scored, save
from benchmarks.fidelity.servers import DidNotStartError, Served, serving
from benchmarks.fidelity.table import results, small_table
from tests.fidelity.apps import chapters_of
from tests.fidelity.player import Caller, Verdict, over_http, play, web_client

HERE = Path(__file__).parent
_FOLDER = ROOT / "var" / "fidelity"
SCORED = ("main",)
"""The applications of the suite that count."""
REVISIONS = {"auto": "2026-07-28", "legacy": "2025-11-25"}


class NotPlayedError(Exception):
    """Some cases could not be run on a server; the text is a one-line reason."""


@dataclass
class Findings:
    """The results of one entry, application by application."""

    verdicts: dict[str, list[Verdict]] = field(default_factory=dict[str, list[Verdict]])
    """By mode."""
    left_out: list[str] = field(default_factory=list[str])
    died: str = ""


def main() -> int:
    """Run all entries or the named ones; return 1 if one could not be run."""
    options = _options()
    chosen = [entry for entry in ENTRIES if not options.entries or entry.name in options.entries]
    _FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        scored = [_scored(entry) for entry in chosen]
    except (NotInstalledError, NotPlayedError, TimeoutError) as error:
        _tell(f"\n{error}")
        return 1
    record = Record(f"{datetime.now(UTC):%Y-%m-%d}", platform.python_version(), scored)
    print(small_table(record))
    if not options.entries:
        write(record)
    return 0


def write(record: Record) -> None:
    """Write the record, as data and as a page."""
    save(record, HERE / "results.json")
    (HERE / "RESULTS.md").write_text(results(record), encoding="utf-8")


def _scored(entry: Entry) -> Scored:
    _tell(f"{entry.name}: making its environment, unless it is there")
    versions, findings = versions_of(entry), Findings()
    for app in SCORED:
        _play_into(findings, entry, app)
    _write_problems(entry, findings)
    runs = [_run(REVISIONS[mode], findings.verdicts[mode]) for mode in entry.modes]
    title = entry.title.format(version=versions.pop(entry.package))
    return Scored(title, entry.remark, versions, runs, findings.left_out, findings.died)


def _play_into(findings: Findings, entry: Entry, app: str) -> None:
    try:
        with serving(entry, app) as served:
            findings.left_out += served.left_out
            for mode in entry.modes:
                _tell(f"{entry.name}: {app}, {REVISIONS[mode]}: ", end="")
                findings.verdicts.setdefault(mode, []).extend(_verdicts(served, entry, app, mode))
                _tell("")
    except DidNotStartError as error:
        _tell(f"{entry.name}: {app}: {error}")
        findings.died = str(error)
        for mode in entry.modes:
            findings.verdicts.setdefault(mode, []).extend(_all_failed(app))


def _verdicts(served: Served, entry: Entry, app: str, mode: str) -> Sequence[Verdict]:
    try:
        return anyio.run(_played, served, entry, app, mode)
    except Exception as error:
        reason: Exception = error
        while isinstance(reason, ExceptionGroup):
            reason = reason.exceptions[0]
        raise NotPlayedError(f"{entry.name}: {app}: {type(reason).__name__}: {reason}") from error


async def _played(served: Served, entry: Entry, app: str, mode: str) -> Sequence[Verdict]:
    caller = Caller()
    async with web_client(served.url, caller) as web, over_http(served.url + entry.path, mode, caller) as client:
        if client.protocol_version != REVISIONS[mode]:
            raise NotPlayedError(f"it speaks {client.protocol_version}, not {REVISIONS[mode]}")
        return await play(client, web, caller, chapters_of(app), progress=_show)


def _all_failed(app: str) -> list[Verdict]:
    return [Verdict(chapter.title, case.name, (DIED,)) for chapter in chapters_of(app) for case in chapter.cases]


def _run(revision: str, verdicts: Sequence[Verdict]) -> Run:
    cases = {
        (chapter.title, case.name): case for app in SCORED for chapter in chapters_of(app) for case in chapter.cases
    }
    run = Run(revision, {}, {})
    for verdict in verdicts:
        run.played[verdict.chapter] = run.played.get(verdict.chapter, 0) + 1
        if not verdict.is_good:
            kind = kind_of(cases[verdict.chapter, verdict.name], verdict.problems)
            run.failures.setdefault(kind, {}).setdefault(verdict.chapter, []).append(verdict.name)
    return run


def _write_problems(entry: Entry, findings: Findings) -> None:
    told = [
        {"mode": mode, "chapter": verdict.chapter, "case": verdict.name, "problems": verdict.problems}
        for mode, verdicts in findings.verdicts.items()
        for verdict in verdicts
        if not verdict.is_good
    ]
    path = _FOLDER / f"{entry.name}.json"
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")


def _show(verdict: Verdict) -> None:
    _tell("." if verdict.is_good else "F", end="")


def _tell(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fidelity", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("entries", nargs="*", metavar="SERVER", help=", ".join(entry.name for entry in ENTRIES))
    options = parser.parse_args()
    if unknown := set(options.entries) - {entry.name for entry in ENTRIES}:
        parser.error(f"unknown server {min(unknown)!r}; known servers: {', '.join(entry.name for entry in ENTRIES)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
