"""Connect clients to the order desk, and record the protocol version and the capabilities of each.

    python -m benchmarks.clients              # all; writes docs/clients.md and results.json
    python -m benchmarks.clients fastmcp      # one of them; prints its row
    python -m benchmarks.clients --install    # only makes the environments

The first run makes the environments of the clients, which takes some minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from benchmarks.clients.desk import Desk, open_desk
from benchmarks.clients.entries import CLIENTS, Client
from benchmarks.clients.install import install, version_of
from benchmarks.clients.play import play
from benchmarks.clients.record import Record, Row, Seen, save
from benchmarks.clients.table import page, table
from benchmarks.environments import ROOT

RESULTS = Path(__file__).with_name("results.json")
PAGE = ROOT / "docs" / "clients.md"
_AT_ONCE = 2


def main() -> int:
    """Connect all clients or the named ones; return 1 if one could not be installed or failed."""
    options = _options()
    chosen = [client for client in CLIENTS if not options.clients or client.name in options.clients]
    missing = install(chosen)
    for name, problem in missing.items():
        _tell(f"{name} is not installed: {problem}")
    if options.install:
        return int(bool(missing))
    rows = connect(chosen, missing)
    print("\n".join(table(rows)))
    if not options.clients:
        write(Record(f"{datetime.now(UTC):%Y-%m-%d}", rows))
    return int(not all(row.version and all(seen.is_good for seen in row.seen.values()) for row in rows))


def connect(clients: Sequence[Client], missing: Mapping[str, str] = MappingProxyType({})) -> list[Row]:
    """Connect clients, several at a time; `missing` maps clients that are not installed to the reason."""
    with tempfile.TemporaryDirectory() as folder, open_desk(Path(folder)) as desk, ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda client: _row(client, desk, missing.get(client.name, "")), clients))


def write(record: Record) -> None:
    """Write the record and the page."""
    save(record, RESULTS)
    PAGE.write_text(page(record), encoding="utf-8")


def _row(client: Client, desk: Desk, problem: str) -> Row:
    if problem:
        return Row(client.name, client.title, "", client.remark, {}, problem)
    seen = {transport: _seen(client, transport, desk) for transport in client.transports}
    return Row(client.name, client.title, version_of(client), client.remark, seen)


def _seen(client: Client, transport: str, desk: Desk) -> Seen:
    seen = play(client, transport, desk)
    _tell(f"{client.name}, {transport}: {seen.revision or '-'} {seen.problem or ', '.join(seen.failures)}")
    return seen


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clients", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    names = [client.name for client in CLIENTS]
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=", ".join(names))
    parser.add_argument("--install", action="store_true", help="only make the environments")
    options = parser.parse_args()
    if unknown := set(options.clients) - set(names):
        parser.error(f"there is no client {min(unknown)!r}; there are {', '.join(names)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
