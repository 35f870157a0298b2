"""A record as people read it: docs/clients.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.clients.record import Record, Row

__all__ = ["page", "table"]

_PAGE = """\
# Clients

What connects to the order desk, and which revision of MCP it speaks there. Every client is the real one, unchanged and
without a login. It lists the tools, which must be the desk's; calls one and reads a resource, which must give what the
plain HTTP request gives; and calls a tool that wants a yes, which must ask once and then run. The revision is what the
server heard.

{table}

`-` is what a client cannot do without a model, or over one of the two. Revisions with a handshake can ask only in a
session: over stdio, or over HTTP with sessions, which the server keeps for that call.

Written on {date} by `make clients`; a test connects the clients again and compares.
{problems}
## To connect them again

    make clients                       # all; writes this page
    make clients ARGS="fastmcp"        # some; prints the table

Each client is installed into an environment of its own in `var/clients`, in the version above, which takes some minutes
and 1.2 GB the first time. To try another one, add an entry to `benchmarks/clients/entries.py` and a few lines that use
it to `benchmarks/clients/programs`.
"""


def page(record: Record) -> str:
    """Return docs/clients.md."""
    problems = "\n".join(_problems(record.rows))
    return _PAGE.format(
        table="\n".join(table(record.rows)), date=record.date, problems=f"\n{problems}\n" if problems else ""
    )


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| client | version | over HTTP | over stdio | lists | calls | reads | says yes | |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        cells = [row.title, row.version or "not installed", _revision(row, "http"), _revision(row, "stdio")]
        yield f"| {' | '.join([*cells, _lists(row), *_words(row), row.remark])} |"


def _revision(row: Row, transport: str) -> str:
    seen = row.seen.get(transport)
    if seen is None:
        return "-"
    return f"{seen.revision}, fails" if seen.problem and seen.revision else seen.revision or "fails"


def _lists(row: Row) -> str:
    told = {seen.listed for seen in row.seen.values()}
    if told == {None} and all("tools/list" in seen.methods for seen in row.seen.values()):
        return "yes"
    return _word(told)


def _words(row: Row) -> Iterator[str]:
    yield _word({seen.called for seen in row.seen.values()})
    yield _word({seen.read for seen in row.seen.values()})
    yield _word({seen.confirmed for seen in row.seen.values()})


def _word(told: set[bool | None]) -> str:
    return "no" if False in told else "yes" if told == {True} else "-"


def _problems(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        if row.problem:
            yield f"- {row.title} could not be installed: `{row.problem}`"
        for transport, seen in row.seen.items():
            if seen.problem:
                yield f"- {row.title}, {transport}: `{seen.problem}`"
