"""Import and export of a store on the command line."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
import pytest

from tests.servers import START
from tests.support import ROOT
from tests.tools import shop
from tests.tools.desk import fill_store, read_store
from tests.tools.places import Place
from tools.retail.desk import open_store
from tools.retail.errors import StoreError
from tools.retail.progress import Progress
from tools.retail.settings import RetailSettings
from tools.retail.store import import_store


def run(*arguments: str, url: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of the order desk on a store."""
    return subprocess.run(
        [sys.executable, "-m", "tools.retail", *arguments],
        cwd=ROOT,
        env={**os.environ, "RETAIL_DATABASE_URL": url},
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=START,
    )


def canonical(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def bad_input(result: subprocess.CompletedProcess[str]) -> str:
    """Require one clear line and exit code 2, and return the line."""
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


async def test_an_export_equals_the_imported_store(store_url: str) -> None:
    result = run("export", "-", url=store_url)
    assert result.returncode == 0, result.stderr
    assert result.stdout == canonical(shop.small_shop())


@pytest.mark.timeout(180)  # six commands, one after the other
async def test_stores_can_be_imported_and_exported_through_pipes_and_compressed_files(
    place: Place, store_url: str, tmp_path: Path
) -> None:
    packed = tmp_path / "store.json.gz"
    assert run("export", str(packed), url=store_url).returncode == 0
    with gzip.open(packed, "rt") as file:
        assert json.load(file) == shop.small_shop()
    other = await place.new()
    assert run("import", str(packed), url=other).returncode == 0
    third = await place.new()
    result = run("import", "-", url=third, text=run("export", "-", url=other).stdout)
    assert result.returncode == 0
    assert "12 records" in result.stderr
    assert await read_store(third) == shop.small_shop()


async def test_optional_fields_of_an_order_may_be_missing_and_floats_are_rounded(store_url: str) -> None:
    content = shop.small_shop()
    order = content["orders"][shop.PENDING]
    for field in [name for name, value in order.items() if value is None]:
        del order[field]
    order["items"][0]["price"] = 19.999999
    await fill_store(store_url, content)
    assert await read_store(store_url) == shop.small_shop()


async def test_an_import_replaces_the_whole_store(store_url: str) -> None:
    empty = {"orders": {}, "products": {}, "users": {}}
    await fill_store(store_url, empty)
    assert await read_store(store_url) == empty


def broken_stores() -> dict[str, tuple[str, str]]:
    """Return invalid stores by their problem, each with a part of the expected message."""

    def but(change: str, *path: str, value: Any = None, drop: bool = False) -> str:
        content: Any = shop.small_shop()
        place = content
        for key in path[:-1]:
            place = place[key]
        if drop:
            del place[path[-1]]
        else:
            place[path[-1]] = value
        return json.dumps(content)

    whole = json.dumps(shop.small_shop())
    order, user, product = ("orders", shop.PENDING), ("users", shop.ADA), ("products", shop.MUG)
    return {
        "nothing": ("", "expected '{'"),
        "cut off": (whole[: len(whole) // 2], "character"),
        "cut off at the end": (whole[:-1], "character"),
        "more after it": (whole + "{}", "nothing after"),
        "not an object": ("[1, 2]", "expected '{'"),
        "not JSON": ("order desk", "expected '{'"),
        "a number for a section": ('{"orders": 7}', "expected '{'"),
        "too deep": ('{"orders": {"#W1": ' + "[" * 100_000, "nested too deeply"),
        "a section missing": (but("", "users", drop=True), "'users' missing"),
        "a section too many": (but("", "shops", value={"a": {}}), "'shops'"),
        "a field missing": (but("", *order, "status", drop=True), f"orders.{shop.PENDING}.status"),
        "a field too many": (but("", *order, "color", value="red"), "color"),
        "no such status": (but("", *order, "status", value="lost"), "status"),
        "text for money": (but("", *product, "variants", shop.MUG_WHITE, "price", value="cheap"), "price"),
        "infinite money": (but("", *product, "variants", shop.MUG_WHITE, "price", value=float("inf")), "price"),
        "enormous money": (but("", *product, "variants", shop.MUG_WHITE, "price", value=1e300), "price"),
        "a key that is not the id": (but("", *order, "order_id", value="#W9"), "'#W9'"),
        "a variant under another key": (but("", *product, "variants", shop.MUG_WHITE, "item_id", value="9"), "'9'"),
        "an order of an unknown user": (but("", *order, "user_id", value="unknown_1"), shop.PENDING),
        "an order in no list": (but("", *user, "orders", value=[]), "not in the list"),
        "an order that is not there": (but("", *order, drop=True), "does not exist"),
        "an order listed twice": (but("", *user, "orders", value=[shop.PENDING, shop.PENDING]), "share"),
        "a product with an item's id": (
            whole.replace(shop.MUG_WHITE, shop.SHIRT),
            "has the id of an item",
        ),
        "two products of one name": (but("", *product, "name", value="Shirt"), "share"),
        "a NUL character": (but("", *user, "email", value="a\0b"), "NUL"),
    }


@pytest.fixture
async def untouched_store(store_url: str) -> AsyncGenerator[str, None]:
    """Yield a store that must be unchanged at the end of the test."""
    yield store_url
    assert await read_store(store_url) == shop.small_shop()


@pytest.mark.parametrize("wrong", broken_stores())
async def test_an_invalid_store_is_rejected_and_changes_nothing(untouched_store: str, wrong: str) -> None:
    text, message = broken_stores()[wrong]
    async with open_store(RetailSettings(database_url=untouched_store)) as store:
        with pytest.raises(StoreError) as refused:
            await import_store(store, io.StringIO(text), Progress("importing"))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    assert "cannot read" in bad_input(run("import", str(tmp_path / "missing.json"), url=url))
    assert "cannot read" in bad_input(run("import", str(tmp_path), url=url))
    assert "character" in bad_input(run("import", "-", url=url, text='{"orders": {'))
    assert "cannot write" in bad_input(run("export", str(tmp_path / "no" / "folder.json"), url=url))


def test_files_whose_content_does_not_match_their_name_are_bad_input(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    (tmp_path / "plain.json.gz").write_text("{}")
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(b'{"orders": {}}')[:-9])
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    for name in ("plain.json.gz", "cut.json.gz", "binary.json"):
        assert "cannot read" in bad_input(run("import", str(tmp_path / name), url=url))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////nowhere/at/all/store.db", "cannot use the store"),
        ("postgresql://nobody:secret@127.0.0.1:1/none", "cannot use the store"),
        ("mysql://localhost/shop", "RETAIL_DATABASE_URL"),
        ("sqlite://", "must be a file"),
        ("not a url", "RETAIL_DATABASE_URL"),
    ],
)
def test_a_store_that_cannot_be_opened_is_bad_input(url: str, message: str) -> None:
    line = bad_input(run("export", "-", url=url))
    assert message in line
    assert "secret" not in line


async def test_a_file_that_cannot_be_opened_leaves_no_thread_behind() -> None:
    started: list[str] = []

    def note_thread(_frame: FrameType, _event: str, _argument: object) -> None:
        started.append(threading.current_thread().name)

    threading.setprofile(note_thread)
    try:
        with pytest.raises(StoreError, match="cannot use the store"):
            async with open_store(RetailSettings(database_url="sqlite:////nowhere/at/all/store.db")):
                pass
    finally:
        threading.setprofile(None)
    assert started == []


def test_a_file_that_is_not_a_database_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("this is a letter and not a database\n" * 50)
    assert "not a database" in bad_input(run("export", "-", url=f"sqlite:///{tmp_path}/store.db"))


async def test_an_interrupted_import_changes_nothing(untouched_store: str) -> None:
    process = await anyio.open_process(
        [sys.executable, "-m", "tools.retail", "import", "-"],
        cwd=ROOT,
        env={**os.environ, "RETAIL_DATABASE_URL": untouched_store},
    )
    async with process:
        assert process.stdin is not None
        assert process.stderr is not None
        # Far more than pipes hold: once all of it is taken, the command waits for more in the middle of its import.
        half = canonical(shop.small_shop()).rpartition(',"users"')[0]
        await process.stdin.send(half.encode() + b" " * 3_000_000)
        process.send_signal(signal.SIGINT)
        errors = b"".join([chunk async for chunk in process.stderr])
        assert await process.wait() == 1
        assert errors.split() == [b"Aborted!"]


def test_a_failed_export_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "store.json"
    target.write_text("old")
    assert run("export", str(target), url=f"sqlite:///{tmp_path}/missing/store.db").returncode == 2
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_export_to_a_device_or_link_does_not_replace_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    target, link, pipe = tmp_path / "target.json", tmp_path / "link.json", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to(target)
    assert run("export", str(link), url=url).returncode == 0
    assert link.is_symlink()
    assert target.read_text() == '{"orders":{},"products":{},"users":{}}'
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        assert run("export", str(pipe), url=url).returncode == 0
        assert reader.stdout is not None
        assert reader.stdout.read() == target.read_text()
    assert pipe.is_fifo()


async def test_the_hash_of_a_store_is_that_of_its_export(store_url: str) -> None:
    exported = run("export", "-", url=store_url).stdout
    assert (
        hashlib.sha256(exported.encode()).hexdigest()
        == hashlib.sha256(canonical(shop.small_shop()).encode()).hexdigest()
    )
