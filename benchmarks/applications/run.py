"""Run toolway on applications by others, and compare tool calls with plain HTTP requests to the same server.

    make applications [ARGS="[--only NAME ...] [--results PAGE] [--sweep] [--galaxium CHECKOUT]"]

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
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx2

sys.path.insert(0, str(Path(__file__).parent))
from applications import APPLICATIONS, Application
from compare import compare
from results import Row, details, page, summary
from sweep import made_up
from times import measure_times

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATIENCE = 300
VERSIONS = "import importlib.metadata as m, json, sys; print(json.dumps([m.version(n) for n in sys.argv[1:]]))"
DOCUMENT = """
import importlib, json, sys
module, attribute, path = sys.argv[1:]
app = getattr(importlib.import_module(module), attribute.removesuffix("()"))
app = app() if attribute.endswith("()") else app
json.dump(app.openapi(), open(path, "w"))
"""


class Place:
    """The folder, the interpreter and the environment variables of one application."""

    def __init__(self, app: Application, folder: Path, checkout: Path | None) -> None:
        self.app = app
        self.folder = folder / app.name
        self.python = self.folder / "env" / "bin" / "python"
        self.modules = self._modules(checkout)
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("TOOLWAY_")},
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            **{key: self.filled(value) for key, value in app.env.items()},
        }

    def _modules(self, checkout: Path | None) -> Path:
        if self.app.is_ours:
            return HERE / "mounted"
        return checkout / self.app.source if checkout and self.app.source else self.folder

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
    """Run ``toolway serve`` on a free port; yield the MCP endpoint's URL when it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    # The application writes this address into its links, and never sees a caller's Host.
    env = {**place.env, "TOOLWAY_PUBLIC_URL": f"http://127.0.0.1:{port}"}
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


def examine(place: Place, row: Row, *, sweep: bool) -> None:
    """List, lint, serve and call."""
    names = [name for name in (place.app.package, "fastapi", "mcp") if name]
    row.versions = json.loads(place.run([place.python, "-c", VERSIONS, *names]))
    if not place.app.beside:
        examine_document(place, row)
        return
    read_catalog(place, row, place.command, place.app.expression)
    row.times = {
        server: measure_times(command, place.app.documents[0] if place.app.documents else "/", place.folder, place.env)
        for server, command in server_commands(place).items()
    }
    with served(place) as url:
        base = url.removesuffix(urlsplit(url).path)
        for path in place.app.documents:
            row.documents[path.rpartition("/")[0]] = httpx2.get(base + path, timeout=60).raise_for_status().json()
        if not place.app.documents:
            row.documents[""] = json.loads(write_document(place).read_text())
        row.comparisons = anyio.run(compare, place.app, place.app.calls, url, base, place.filled)
        if sweep:
            reads = [call for prefix, found in row.documents.items() for call in made_up(found, prefix, row.tools)]
            row.sweep = anyio.run(compare, place.app, reads, url, base, place.filled)


def server_commands(place: Place) -> dict[str, list[str]]:
    """The commands that serve an application; uvicorn takes no factory with arguments."""
    module, _, attribute = place.app.expression.partition(":")
    factory = ("--factory",) if attribute.endswith("()") else ()
    uvicorn = [str(place.python), "-m", "uvicorn", f"{module}:{attribute.removesuffix('()')}", *factory]
    commands = {"uvicorn": [*uvicorn, "--app-dir", str(place.modules)]} if "(" not in attribute[:-2] else {}
    return {**commands, "toolway": place.command("serve", place.app.expression)}


def write_document(place: Place) -> Path:
    """Write down the document of an application that does not serve it."""
    document = place.folder / "openapi.json"
    module, _, attribute = place.app.expression.partition(":")
    place.run([place.python, "-c", DOCUMENT, module, attribute, document])
    return document


def examine_document(place: Place, row: Row) -> None:
    """Read the document of an application that cannot share an environment with toolway."""
    document = write_document(place)
    read_catalog(place, row, lambda *words: [sys.executable, "-m", "toolway", *words], str(document))
    row.documents[""] = json.loads(document.read_text())


def read_catalog(place: Place, row: Row, command: Callable[..., list[str]], app: str) -> None:
    """Record the output of ``toolway list`` and ``toolway lint``."""
    started = time.perf_counter()
    lines = place.run(command("list", app)).splitlines()
    row.seconds = time.perf_counter() - started
    row.skipped = [line.removeprefix("skipped: ") for line in lines if line.startswith("skipped: ")]
    row.listed = int(lines[-1].split()[0])
    row.report = json.loads(place.run(command("lint", app, "--json")))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[app.name for app in APPLICATIONS])
    parser.add_argument("--results", type=Path, help="the page to write; RESULTS.md beside this file for all of them")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "toolway-applications")
    parser.add_argument("--galaxium", type=Path, help="a checkout of IBM/galaxium-travels, which is not a package")
    parser.add_argument(
        "--sweep",
        action="store_true",
        help="also call every GET operation with generated values; some of them call other servers",
    )
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    uv = installer(given.folder)
    rows: list[Row] = []
    for app in APPLICATIONS:
        if (given.only is None or app.name in given.only) and (given.galaxium or not app.source):
            rows.append(row := Row(app))
            place = Place(app, given.folder, given.galaxium)
            print(f"{app.name}: installing ...", flush=True)
            try:
                install(place, uv)
                examine(place, row, sweep=given.sweep)
            except Exception as error:  # noqa: BLE001 - one application that fails is a result like another
                while isinstance(error, ExceptionGroup):
                    error = error.exceptions[0]
                row.failure = f"{type(error).__name__}: {error}"
            print(summary(row), *details(row), sep="\n", flush=True)
    if given.only is None or given.results:
        (given.results or HERE / "RESULTS.md").write_text(page(rows).replace(str(given.folder), "FOLDER"))
    return 1 if any(row.problems for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
