"""Output of all commands: results first, no terminal escapes, and no traceback when stdout is closed."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.shell import TOOLWAY, environment, toolway, write
from toolway.cli.output_streams import configure_logging, escape_controls, format_json, has_color

STEERING = "\x1b]52;c;cm0=\x07 \x1b[31mred \x9b31m \u202eevil \r over\x08"
FORBIDDEN = {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x202E)}
STUBBORN = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    yield
    raise AssertionError("the worker was not started")

app = FastAPI(lifespan=lifespan)

@app.get("/ping", operation_id="ping")
async def ping() -> str:
    return "pong"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    get = {
        "operationId": f"op{STEERING}",
        "summary": f"S{STEERING}",
        "parameters": [{"name": f"q{STEERING}", "in": "query", "schema": {"enum": [f"a{STEERING}"], "type": "string"}}],
        "responses": {},
    }
    hostile = {
        "openapi": "3.1.0",
        "info": {"title": f"T{STEERING}", "version": "1"},
        "paths": {f"/x{STEERING}": {"get": get}, f"/y{STEERING}": {"get": {"parameters": [{"$ref": f"#/{STEERING}"}]}}},
    }
    text = json.dumps(hostile, ensure_ascii=False)
    return write(tmp_path_factory.mktemp("output"), {"hostile.json": text, "stubborn.py": STUBBORN})


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["lint"], ["lint", "--json"]], ids=" ".join)
def test_nothing_in_an_openapi_document_controls_the_terminal(folder: Path, command: list[str]) -> None:
    done = toolway(*command, "hostile.json", cwd=folder)

    assert done.returncode == 0, done.stderr
    assert not FORBIDDEN.intersection(done.stdout + done.stderr)


def test_an_error_message_quotes_text_without_controlling_the_terminal(folder: Path) -> None:
    done = toolway("list", f"stubborn:app{STEERING}", cwd=folder)

    assert "expected APP as" in done.stderr
    assert not FORBIDDEN.intersection(done.stderr)


def test_a_log_line_shows_untrusted_text_without_controlling_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    factory = logging.getLogRecordFactory()
    configure_logging()
    try:
        try:
            raise ValueError(STEERING)
        except ValueError as error:
            info = (ValueError, error, error.__traceback__)
            record = logging.getLogger("toolway.x").makeRecord("toolway.x", 30, "f", 1, "%s", (STEERING,), info)
        colored = logging.getLogger("uvicorn").makeRecord("uvicorn", 30, "f", 1, "\x1b[1mup", (), None)
    finally:
        logging.setLogRecordFactory(factory)

    assert not FORBIDDEN.intersection(logging.Formatter().format(record))
    assert colored.getMessage() == "\x1b[1mup"


def test_json_keeps_its_value() -> None:
    assert json.loads(format_json({"text": STEERING})) == {"text": STEERING}
    assert not FORBIDDEN.intersection(format_json(STEERING))


def test_ordinary_text_is_printed_as_it_is() -> None:
    assert escape_controls("Käse\tund\nBrot 👩\u200d🍳") == "Käse\tund\nBrot 👩\u200d🍳"


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=str,
)
def test_colors_can_be_turned_off(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], wanted: bool) -> None:
    for name, value in {"NO_COLOR": "", "TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)

    assert has_color() is wanted


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (["list", "stubborn:app", "--start"], "1 tool, 0 skipped"),
        (["lint", "stubborn:app", "--start"], "1 tool, about"),
        (["call", "stubborn:app", "ping"], '"pong"'),
    ],
    ids=["list", "lint", "call"],
)
def test_the_result_is_printed_before_a_shutdown_that_fails(folder: Path, command: list[str], answer: str) -> None:
    done = toolway(*command, cwd=folder)

    assert done.returncode == 3
    assert answer in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("toolway: the application failed to shut down: AssertionError: the worker was not started")


def test_a_stdio_server_reports_a_shutdown_that_fails_in_one_line(folder: Path) -> None:
    done = toolway("stdio", "stubborn:app", cwd=folder)  # whose stdin is empty

    assert done.returncode == 3
    assert done.stderr.startswith("toolway: the application failed to shut down: AssertionError")


@pytest.mark.parametrize("command", [["list", "hostile.json"], ["call", "stubborn:app", "ping"]], ids=" ".join)
def test_a_closed_stdout_causes_no_traceback(folder: Path, command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        done = subprocess.run(
            [*TOOLWAY, *command],
            cwd=folder, env=environment(), stdout=stdout, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.returncode in {3, 141}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", [["list", "hostile.json"], ["--help"]], ids=" ".join)
def test_a_full_disk_is_reported_in_one_line(folder: Path, command: list[str]) -> None:
    with Path("/dev/full").open("w") as stdout:
        done = subprocess.run(
            [*TOOLWAY, *command],
            cwd=folder, env=environment(), stdout=stdout, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    assert (done.returncode, done.stderr) == (2, "toolway: cannot write to stdout: No space left on device\n")
