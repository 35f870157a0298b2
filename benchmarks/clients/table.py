"""The page docs/clients.md, written from a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.clients.record import Record, Row

__all__ = ["page", "table"]

_PAGE = """\
# Clients

These clients have been tested with the demo application, the order desk. Each is the original client, unmodified and
without a login. The columns show:

- **over HTTP, over stdio**: the MCP revision that the client uses, as the server sees it
- **lists**: the client lists all tools of the order desk
- **calls, reads**: a tool call and a resource give the same data as the HTTP request
- **confirms**: a tool with `confirm=` asks the user once, and then runs

{table}

`-` means that the client needs a model for this, or does not support this transport. Clients of MCP 2025-11-25 and
earlier can be asked only in a session: over stdio, or over HTTP with sessions.

Written on {date} by `make clients`; a test connects the clients again and compares.
{problems}
## Testing the clients again

    make clients                       # all; writes this page
    make clients ARGS="fastmcp"        # some; prints the table

Each client is installed into its own environment in `var/clients`, in the version above. The first run takes some
minutes and 1.2 GB. To add a client, write an entry in `benchmarks/clients/entries.py` and a short program that uses it
in `benchmarks/clients/programs`.
"""


def page(record: Record) -> str:
    """Return docs/clients.md."""
    problems = "\n".join(_problems(record.rows))
    return _PAGE.format(
        table="\n".join(table(record.rows)), date=record.date, problems=f"\n{problems}\n" if problems else ""
    )


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| client | version | over HTTP | over stdio | lists | calls | reads | confirms | |"
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
