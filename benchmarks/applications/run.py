"""Run toolway on applications by others, and compare tool calls with plain HTTP requests to the same server.

    .venv/bin/python benchmarks/applications/run.py [--only NAME] [--galaxium CHECKOUT]

Each application gets an environment of its own below ``--folder`` (a few gigabytes in all; kept for the next time).
Servers listen on loopback and end with the run. RESULTS.md beside this file is written when all of them have been run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2

sys.path.insert(0, str(Path(__file__).parent))
from applications import APPLICATIONS, Application
from compare import Comparison, compare

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
PATIENCE = 300
VERSIONS = "import importlib.metadata as m, json, sys; print(json.dumps([m.version(n) for n in sys.argv[1:]]))"
DOCUMENT = """
import importlib, json, sys
module, attribute, path = sys.argv[1:]
app = getattr(importlib.import_module(module), attribute.removesuffix("()"))
app = app() if attribute.endswith("()") else app
json.dump(app.openapi(), open(path, "w"))
"""


@dataclass
class Row:
    """What one application gave."""

    app: Application
    versions: list[str] = field(default_factory=list[str])
    seconds: float = 0.0
    offered: int = 0
    listed: int = 0
    skipped: list[str] = field(default_factory=list[str])
    comparisons: list[Comparison] = field(default_factory=list[Comparison])
    failure: str = ""


class Place:
    """The folder, the interpreter and the environment variables of one application."""

    def __init__(self, app: Application, folder: Path, checkout: Path | None) -> None:
        self.app = app
        self.folder = folder / app.name
        self.python = self.folder / "env" / "bin" / "python"
        self.modules = checkout / app.source if checkout and app.source else self.folder
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("TOOLWAY_")},
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            **{key: self.filled(value) for key, value in app.env.items()},
        }

    def filled(self, text: str) -> str:
        return text.replace("{folder}", str(self.folder)).replace("{python}", str(self.python))

    def command(self, *words: str) -> list[str]:
        return [str(self.python), "-m", "toolway", *words, "--app-dir", str(self.modules)]

    def run(self, command: Iterable[str | Path], timeout: float = PATIENCE) -> str:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.folder, env=self.env, check=False, capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{list(command)[:4]} failed: {done.stderr.strip()[-600:]}")
        return done.stdout


def install(place: Place, uv: Path) -> None:
    """Make the environment, unless it is there from an earlier run with the same requirements."""
    beside = ("--editable", str(ROOT)) if place.app.beside else ()
    wanted = json.dumps([place.app.requirements, beside, platform.python_version()])
    stamp = place.folder / "installed.json"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    place.folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, place.folder / "env"], check=True)
    options = ("--quiet", "--python", place.python)
    subprocess.run([uv, "pip", "install", *options, *beside, *place.app.requirements], check=True, timeout=1800)
    for command in place.app.setup:
        place.run(place.filled(word) for word in command)
    stamp.write_text(wanted)


def installer(folder: Path) -> Path:
    """An installer that resolves large applications in seconds."""
    uv = folder / "uv" / "bin" / "uv"
    if not uv.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "uv"], check=True)
        subprocess.run([folder / "uv" / "bin" / "pip", "install", "--quiet", "uv"], check=True)
    return uv


@contextmanager
def served(place: Place) -> Generator[str]:
    """Run ``toolway serve`` on a free port; yield the MCP endpoint's URL once it says so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    # The application writes this address into its links, whoever asks: a caller's Host never reaches it.
    env = {**place.env, "TOOLWAY_BASE_URL": f"http://127.0.0.1:{port}"}
    command = place.command("serve", place.app.expression, "--port", str(port))
    process = subprocess.Popen(
        command, cwd=place.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    lines: list[str] = []
    said = threading.Event()

    def read() -> None:
        for line in process.stderr or ():
            lines.append(line)
            if line.startswith("MCP endpoint"):
                said.set()
        said.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        said.wait(PATIENCE)
        url = next((line.split()[-1] for line in lines if line.startswith("MCP endpoint")), None)
        if url is None:
            raise RuntimeError(f"did not start: {''.join(lines)[-600:]}")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        reader.join(30)


def offered(documents: Iterable[dict[str, Any]]) -> int:
    return sum(
        method in METHODS for document in documents for item in document.get("paths", {}).values() for method in item
    )


def examine(place: Place, row: Row) -> None:
    """List, serve and call."""
    names = [name for name in (place.app.package, "fastapi", "mcp") if name]
    row.versions = json.loads(place.run([place.python, "-c", VERSIONS, *names]))
    if not place.app.beside:
        examine_document(place, row)
        return
    started = time.perf_counter()
    take_list(row, place.run(place.command("list", place.app.expression)))
    row.seconds = time.perf_counter() - started
    with served(place) as url:
        base = url.removesuffix(urlsplit(url).path)
        documents = [httpx2.get(base + path, timeout=60).raise_for_status().json() for path in place.app.documents]
        documents = documents or [json.loads(write_document(place).read_text())]
        row.offered = offered(documents)
        row.comparisons = anyio.run(compare, place.app, url, base, place.filled)


def write_document(place: Place) -> Path:
    """Write down the document of an application that does not serve it."""
    document = place.folder / "openapi.json"
    module, _, attribute = place.app.expression.partition(":")
    place.run([place.python, "-c", DOCUMENT, module, attribute, document])
    return document


def examine_document(place: Place, row: Row) -> None:
    """Read the document of an application that cannot share an environment with toolway."""
    document = write_document(place)
    started = time.perf_counter()
    take_list(row, place.run([sys.executable, "-m", "toolway", "list", document]))
    row.seconds = time.perf_counter() - started
    row.offered = offered([json.loads(document.read_text())])


def take_list(row: Row, text: str) -> None:
    row.skipped = [line.removeprefix("skipped: ") for line in text.splitlines() if line.startswith("skipped: ")]
    row.listed = int(text.splitlines()[-1].split()[0])


def table(rows: list[Row]) -> str:
    """The results as people read them."""
    lines = [
        "# toolway on applications by others",
        "",
        f"Written by `benchmarks/applications/run.py` on {datetime.now(UTC):%Y-%m-%d} with Python",
        f"{platform.python_version()}. Each call is made",
        (
            "by the official client in both eras of MCP, and compared with the plain HTTP "
            "request to the same server: status,"
        ),
        (
            "and body or refusal (of a 5xx the status alone: its text is kept from agents). "
            "The operations are those of the"
        ),
        "application's own documents; WebSockets stand in none, but are listed as skipped.",
        "",
        (
            "| application | version | FastAPI | mcp | operations offered | tools listed | skipped | `toolway list`, s "
            "| calls equal to HTTP | remarks |"
        ),
        "|---|---|---|---|--:|--:|--:|--:|--:|---|",
        *map(line, rows),
    ]
    for row in rows:
        lines += ["", f"## {row.app.name}", "", f"`{row.app.expression}`", *details(row)]
    return "\n".join(lines) + "\n"


def line(row: Row) -> str:
    version, fastapi, mcp = ["-", *row.versions][-3:] if row.versions else ["-"] * 3
    equal = sum(not comparison.difference for comparison in row.comparisons)
    calls = f"{equal} of {len(row.comparisons)}" if row.comparisons else "-"
    cells = [row.app.name, version, fastapi, mcp, row.offered, row.listed, len(row.skipped), f"{row.seconds:.1f}",
             calls, row.failure.splitlines()[0] if row.failure else row.app.remark]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def details(row: Row) -> list[str]:
    said = [f"- skipped: {entry}" for entry in row.skipped]
    said += [f"- failed: {row.failure}"] if row.failure else []
    by_call: dict[str, list[Comparison]] = {}
    for comparison in row.comparisons:
        by_call.setdefault(comparison.request, []).append(comparison)
    for request, both in by_call.items():
        differences = "; ".join(f"{each.era}: {each.difference}" for each in both if each.difference)
        said.append(f"- `{request}` as `{both[0].tool}`: {both[0].status}, {differences or 'equal in both eras'}")
    return ["", *said] if said else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[app.name for app in APPLICATIONS])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "toolway-applications")
    parser.add_argument("--galaxium", type=Path, help="a checkout of IBM/galaxium-travels, which is no package")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    uv = installer(given.folder)
    rows: list[Row] = []
    for app in APPLICATIONS:
        if given.only in (None, app.name) and (given.galaxium or not app.source):
            rows.append(row := Row(app))
            place = Place(app, given.folder, given.galaxium)
            print(f"{app.name}: installing ...", flush=True)
            try:
                install(place, uv)
                examine(place, row)
            except Exception as error:  # noqa: BLE001 - one application that fails is a result like another
                while isinstance(error, ExceptionGroup):
                    error = error.exceptions[0]
                row.failure = f"{type(error).__name__}: {error}"
            print(line(row), *details(row), sep="\n", flush=True)
    if given.only is None:
        (HERE / "RESULTS.md").write_text(table(rows).replace(str(given.folder), "FOLDER"))
    failed = [row for row in rows if row.failure or any(each.difference for each in row.comparisons)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
