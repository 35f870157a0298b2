"""The page RESULTS.md and the printed table of scores, written from a record."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.fidelity.kinds import KINDS, OWN_WORDS
from benchmarks.fidelity.record import Record, Run

__all__ = ["results", "small_table"]

_INTRODUCTION = """\
# Fidelity of MCP servers

Written on {date} by `python -m benchmarks.fidelity` with Python {python}. Each of {cases} cases is a tool call and the
equivalent HTTP request, sent to the same running application. A case passes if the tool is listed with its arguments,
and the call gives the status, body and side effects of the request, in a result that matches its output schema. The
applications, the cases and the judge are in `tests/fidelity`."""

_ALLOWED = """\
## Accepted differences

The suite was written for toolway. These rules make sure that a server does not fail only because it is different:

- **Names.** Every operation id is the function's name, which all of these servers use as the tool's name. A case may
  accept another name, for example for a route with two methods (`also_called`).
- **Arguments.** If a server advertises other arguments than toolway, the suite uses those
  (`tests/fidelity/spelling.py`): another name of a parameter, a body as one argument or as its members, a suffix for
  one of two equal names (`spellings`), a file as base64 or text.
- **Results.** A result may be structured content, the same wrapped as `{"result": ...}`, or JSON text in any layout. An
  error has to contain HTTP's status and messages anywhere in its text. `True` in a path counts as `true`.
- **Headers.** fastapi-mcp forwards only the Authorization header by default; here it is configured to forward every
  header in which the suite sends a credential. FastMCP forwards all headers except Authorization and Cookie, and
  `from_fastapi` has no option for those.
- **Hash seed.** fastapi-mcp chooses the type of a union by the order of a set, so `PYTHONHASHSEED` is 0.
- **Transport.** Each server has one session for all cases, over Streamable HTTP on loopback. The client is the official
  one, which validates structured content against the output schema.

Two kinds of failures are debatable: rejecting invalid arguments before the endpoint does, without its status and
messages (it has its own column), and not forwarding a credential in the query of the MCP URL (only toolway documents
that it does).
"""

_AGAIN = """\
## Running it again

    .venv/bin/python -m benchmarks.fidelity            # all; writes the tables
    .venv/bin/python -m benchmarks.fidelity fastmcp    # one; prints its score

The first run takes about three minutes, later ones two. The environments of the servers and every problem of every case
are kept in `var/fidelity`. `results.json` next to this file lists the failed cases."""


def results(record: Record) -> str:
    """Return RESULTS.md."""
    cases = _reference(record).count
    parts = [
        _INTRODUCTION.format(date=record.date, python=record.python, cases=cases),
        "\n".join(_totals(record)),
        "\n".join(_remarks(record)),
        "## By chapter\n\n" + "\n".join(_chapters(record)),
        "## Why cases failed\n\nEach case that failed is counted once, under the first of these that it shows.\n\n"
        + "\n".join(_kinds(record)),
        _ALLOWED,
        _AGAIN,
        "## The cases that failed\n\n" + "\n\n".join(_failures(record)),
    ]
    return "\n\n".join(parts) + "\n"


def small_table(record: Record) -> str:
    """Return a table of the scores: a row for each server, a column for each protocol version."""
    revisions = list(dict.fromkeys(run.revision for run in _runs(record)))
    lines = [f"| server | {' | '.join(revisions)} |", f"|---|{'--:|' * len(revisions)}"]
    for scored in record.scored:
        shares = {run.revision: _share(run) for run in scored.runs}
        lines.append(f"| {scored.title} | {' | '.join(shares.get(revision, '-') for revision in revisions)} |")
    return "\n".join(lines)


def _totals(record: Record) -> Iterator[str]:
    names = list(record.scored[0].versions)
    yield f"| server | {' | '.join(names)} | MCP | the HTTP request | {OWN_WORDS} |"
    yield f"|---|{'---|' * len(names)}---|--:|--:|"
    for scored in record.scored:
        for run in scored.runs:
            cells = [scored.title, *scored.versions.values(), run.revision, _share(run), str(run.failed_by(OWN_WORDS))]
            yield f"| {' | '.join(cells)} |"


def _remarks(record: Record) -> Iterator[str]:
    for scored in record.scored:
        yield f"- {scored.title}: {scored.remark}."
        if scored.died:
            yield f"  It does not start: `{scored.died}`."
        if scored.left_out:
            yield f"  Left out: {', '.join(f'`{path}`' for path in scored.left_out)}."


def _chapters(record: Record) -> Iterator[str]:
    runs = _runs(record)
    yield from _head("chapter", record)
    for chapter, count in _reference(record).played.items():
        yield f"| {chapter} | {count} | {' | '.join(str(run.good_in(chapter)) for run in runs)} |"
    yield f"| **all** | {_reference(record).count} | {' | '.join(f'**{run.good}**' for run in runs)} |"


def _kinds(record: Record) -> Iterator[str]:
    yield from _head("kind", record, cases=False)
    for kind in KINDS:
        counts = [run.failed_by(kind) for run in _runs(record)]
        if any(counts):
            yield f"| {kind} | {' | '.join(map(str, counts))} |"


def _head(first: str, record: Record, *, cases: bool = True) -> Iterator[str]:
    titles = [f"{scored.title}, {run.revision}" for scored in record.scored for run in scored.runs]
    columns = [first, *(["cases"] if cases else []), *titles]
    yield f"| {' | '.join(columns)} |"
    yield f"|---|{'--:|' * (len(columns) - 1)}"


def _failures(record: Record) -> Iterator[str]:
    for scored in record.scored:
        for run in scored.runs if not scored.died else ():
            revisions = [other.revision for other in scored.runs if other.failures == run.failures]
            if run.failures and revisions[0] == run.revision:
                yield "\n".join([f"### {scored.title}, {' and '.join(revisions)}", "", *_failures_of(run)])


def _failures_of(run: Run) -> Iterator[str]:
    for kind in KINDS:
        if run.failed_by(kind):
            yield f"- **{kind}** ({run.failed_by(kind)})"
        for chapter, names in run.failures.get(kind, {}).items():
            yield f"  - {chapter}: {'; '.join(names)}"


def _share(run: Run) -> str:
    return f"{run.good} of {run.count} ({run.good / run.count:.1%})"


def _reference(record: Record) -> Run:
    return _runs(record)[0]


def _runs(record: Record) -> list[Run]:
    return [run for scored in record.scored for run in scored.runs]
