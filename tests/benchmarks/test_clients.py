"""Popular clients still work with the order desk as docs/clients.md describes."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI

from benchmarks.clients.__main__ import PAGE, RESULTS, connect
from benchmarks.clients.entries import CLIENTS, Client
from benchmarks.clients.install import install
from benchmarks.clients.record import Record, Row, Seen, load, save
from benchmarks.clients.recorder import Heard, Recorder, heard_in, revision_of
from benchmarks.clients.table import page, table
from benchmarks.environments import is_installed
from tests.protocol.wire import HANDSHAKES, MODERN, Peer, message
from tests.servers import serving
from tests.support import require
from toolway import Toolway

GOOD = Seen(MODERN, ["tools/list"], listed=True, called=True, read=True, confirmed=True)
UNTOLD = Seen(HANDSHAKES[-1], ["tools/list"], listed=None, called=None, read=None, confirmed=None)
MADE_UP = Record(
    "2026-11-25",
    [
        Row("one", "One", "1.0", "a remark", {"http": GOOD, "stdio": replace(GOOD, called=False)}),
        Row("two", "Two", "2.0", "", {"http": UNTOLD}),
        Row("three", "Three", "3.0", "", {"http": replace(UNTOLD, revision="", methods=[], problem="Bang: 1")}),
        Row("four", "Four", "", "", {}, "npm failed: no such package"),
    ],
)


@pytest.fixture(scope="module")
def recorded() -> Record:
    return load(RESULTS)


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    """Connect the installed clients: CI installs all of them; elsewhere, `make clients` does (a gigabyte)."""
    if os.environ.get("CI") == "true":
        install(CLIENTS)
    return {row.name: row for row in connect([client for client in CLIENTS if is_installed(client)])}


def test_the_page_shows_the_results_of_the_last_run(recorded: Record) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(recorded)


def test_the_page_lists_every_client(recorded: Record) -> None:
    assert [(row.name, row.title, row.remark) for row in recorded.rows] == [
        (client.name, client.title, client.remark) for client in CLIENTS
    ]
    for row, client in zip(recorded.rows, CLIENTS, strict=True):
        assert (tuple(row.seen) == client.transports and not row.problem) if row.version else row.problem


@pytest.mark.timeout(900)  # the first one installs and connects all
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_behaves_as_the_page_describes(client: Client, recorded: Record, rows: dict[str, Row]) -> None:
    told = next(row for row in recorded.rows if row.name == client.name)
    require(client.name in rows or not told.version, f"{client.title} is not here: make clients ARGS={client.name}")
    row = rows.get(client.name, told)
    assert row.version == told.version
    assert {transport: replace(seen, methods=[]) for transport, seen in row.seen.items()} == {
        transport: replace(seen, methods=[]) for transport, seen in told.seen.items()
    }


def test_the_table_lists_what_a_client_cannot_do() -> None:
    assert list(table(MADE_UP.rows))[2:] == [
        f"| One | 1.0 | {MODERN} | {MODERN} | yes | no | yes | yes | a remark |",
        f"| Two | 2.0 | {HANDSHAKES[-1]} | - | yes | - | - | - |  |",
        "| Three | 3.0 | fails | - | - | - | - | - |  |",
        "| Four | not installed | - | - | - | - | - | - |  |",
    ]
    text = page(MADE_UP)
    assert "- Three, http: `Bang: 1`" in text
    assert "- Four could not be installed: `npm failed: no such package`" in text


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    save(MADE_UP, path)
    assert load(path) == MADE_UP


@pytest.mark.parametrize("version", [MODERN, *HANDSHAKES])
def test_the_protocol_version_is_recorded_over_stdio(version: str) -> None:
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": version}}
    lines = [hello] if version in HANDSHAKES else []
    lines += [message(version, "tools/list"), {"jsonrpc": "2.0", "id": 1, "result": {}}]
    assert revision_of(heard_in(json.dumps(line).encode() for line in lines)) == version


@pytest.mark.parametrize("version", [MODERN, HANDSHAKES[-1]])
def test_the_protocol_version_is_recorded_over_http(version: str) -> None:
    app = FastAPI()
    app.get("/word", operation_id="get_word")(lambda: {"word": "hello"})
    Toolway(app).mount()
    recorder = Recorder(app)
    with serving(recorder) as base:
        Peer(f"{base}/via/somebody/mcp", version).call("get_word")
        Peer(f"{base}/mcp", version).call("get_word")
    assert [(heard.method, heard.version) for heard in recorder.heard["somebody"]] == [("tools/call", version)]


def test_the_negotiated_protocol_version_is_recorded_rather_than_the_probed_one() -> None:
    heard = [Heard("server/discover", MODERN), Heard("initialize", HANDSHAKES[-1]), Heard("tools/list", HANDSHAKES[1])]
    assert revision_of(heard) == HANDSHAKES[1]
    assert revision_of(heard[:2]) == HANDSHAKES[-1]
    assert revision_of([]) == ""
