"""Wrong usage is reported in one line on stderr, with exit code 2 and without a traceback."""

from __future__ import annotations

import gzip
import socket
from pathlib import Path

import pytest

from tests.cli.shell import toolway, write

APP = """
from fastapi import FastAPI

app = FastAPI()

@app.get('/stock')
async def stock(n: int = 0) -> int:
    return n

"""
BROKEN_START = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    raise KeyError("no\\ndatabase")
    yield

app = FastAPI(lifespan=lifespan)
"""
FILES = {
    "main.py": APP + "numbers = {'one': 1}\n\ndef make():\n    return app\n\nclass Maker: ...\n",
    "package/__init__.py": "",
    "needy.py": "import no_such_distribution\n",
    "raising.py": "raise ValueError('first line\\nsecond line')\n",
    "exiting.py": "import sys\nsys.exit('bye')\n",
    "wrong.py": "def (:\n",
    "factories.py": (
        "def failing():\n    raise RuntimeError('no key')\n\n"
        "async def later(): ...\n\ndef other():\n    return 3\n\nnumber = 3\n"
    ),
    "broken_start.py": BROKEN_START,
    "late.py": BROKEN_START.replace('raise KeyError("no\\ndatabase")', '__import__("json").loads("")'),
    "site-packages/inside.py": "import json\njson.loads('')\n",
    "filtered.py": f"{APP}from toolway import Toolway\nToolway(app, include={{'tags': ['nothing']}}).mount()\n",
    "marked.py": APP.replace("get('/stock'", "get('/stock', openapi_extra={'x-toolway': {'nmae': 'x'}}"),
    "broken/pyproject.toml": "[tool.toolway\n",
    "numbered/pyproject.toml": "[tool.toolway]\napp = 3\n",
    "flat/pyproject.toml": "[tool]\ntoolway = 'main:app'\n",
    "elsewhere/pyproject.toml": "[tool.toolway]\napp = 'no_such_module:app'\n",
    "text.json": "no json",
    "list.json": "[]",
    "swagger.json": '{"swagger": "2.0"}',
    "openapi.json": '{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}',
}

LOADING = {
    "no such module": ("nope:app", "no module 'nope' in", "--app-dir"),
    "no such module in a package": ("package.nope:app", "no module 'package.nope'"),
    "no such package": ("nope.main:app", "no module 'nope.main'"),
    "a module that needs another": ("needy:app", "importing 'needy' failed", "'no_such_distribution'"),
    "a module that raises": ("raising:app", "ValueError: first line second line", "raising.py, line 1"),
    "a module that exits": ("exiting:app", "importing 'exiting' failed: SystemExit: bye"),
    "a module with a syntax error": ("wrong:app", "SyntaxError", "wrong.py, line 1"),
    "no such attribute": ("main:ap", "'main' has no 'ap'; did you mean 'app'"),
    "an attribute unlike any other": ("main:zzz", "'main' has no 'zzz'; did you mean 'app'"),
    "no such attribute of an attribute": ("main:app.nope", "'main' has no 'app.nope'"),
    "not an application": ("main:numbers", "expected a FastAPI application at 'main:numbers', found", "'dict'"),
    "a factory without parentheses": ("main:make", "found the function 'make'", "pass main:make()"),
    "a class": ("main:Maker", "found the class 'Maker'"),
    "a module for an attribute": ("package:__loader__.nope", "has no '__loader__.nope'"),
    "parentheses after a value": (
        "factories:number()",
        "'factories:number' is not callable",
        "'int'",
        "remove the paren",
    ),
    "a factory that raises": ("factories:failing()", "RuntimeError: no key", "factories.py, line 2"),
    "an asynchronous factory": ("factories:later()", "is an async function"),
    "a factory of something else": ("factories:other()", "found an instance of 'int'"),
    "a factory that takes no such value": ("factories:failing(1)", "TypeError", "positional argument"),
    "code in a factory's arguments": (
        "factories:failing(__import__('os'))",
        "literal arguments",
        "make('eu', debug=True)",
    ),
    "two pairs of parentheses": ("factories:failing()()", "literal arguments", "got '()()'"),
    "half a call": ("factories:failing(x=)", "literal arguments", "got '(x=)'"),
    "a spread of values": ("factories:failing(**{'a': 1})", "literal arguments"),
    "a file that does not exist": ("nope.py:app", "no file 'nope.py' in"),
    "a file without an application": ("package/__init__.py", "no FastAPI application"),
    "a module without an attribute": ("main", "module:attribute", "got 'main'"),
    "no attribute after the colon": ("main:", "module:attribute", "got 'main:'"),
    "a relative module name": (".main:app", "module:attribute", "got '.main:app'"),
    "a filter that matches nothing": ("filtered:app", "No operation has the tag 'nothing' (include={'tags': ...})"),
    "a marker with an unknown field": ("marked:app", "'nmae' is not a field of x-toolway"),
}

COMMANDS = {
    "an unknown tool": (["call", "main:app", "stok"], "Unknown tool: 'stok'", "did you mean 'stock'"),
    "a missing tool name": (["call", "main:app"], "missing tool NAME", "toolway call --help"),
    "an argument instead of a tool name": (["call", "main:app", "n=3"], "missing tool NAME"),
    "no arguments": (["call"], "toolway call --help"),
    "arguments that are not JSON": (["call", "main:app", "stock", "--json", "{"], "--json is not valid JSON"),
    "arguments that are not an object": (["call", "main:app", "stock", "--json", "[1]"], "expects an object", "'[1]'"),
    "an argument without =": (["call", "main:app", "stock", "n"], "expected KEY=VALUE", "'n'"),
    "an argument without a name": (["call", "main:app", "stock", "=3"], "expected KEY=VALUE", "'=3'"),
    "a value that is not JSON": (["call", "main:app", "stock", "n=three"], "'n' must be JSON (integer), got 'three'"),
    "an unknown client": (["config", "claude-dektop", "main:app"], "'claude-dektop'", "claude-desktop"),
    "an unknown command": (["sevre", "main:app"], "'sevre'", "toolway --help"),
    "an unknown option": (["list", "main:app", "--jsno"], "--jsno"),
    "too many words": (["list", "main:app", "other:app"], "other:app"),
    "a folder that does not exist": (["list", "main:app", "--app-dir", "nowhere"], "'nowhere'"),
    "a working folder that does not exist": (["stdio", "main:app", "--chdir", "nowhere"], "'--chdir'", "'nowhere'"),
    "no project": (["list", "--app-dir", "/"], "no application given", "[tool.toolway]"),
    "a project file that is not TOML": (["list", "--app-dir", "broken"], "cannot read", "pyproject.toml"),
    "an application that is a number": (["list", "--app-dir", "numbered"], "to be a string, got 3"),
    "a string instead of a table": (["list", "--app-dir", "flat"], "to be a table, got 'main:app'"),
    "a project whose module is gone": (["list", "--app-dir", "elsewhere"], "no module 'no_such_module' in"),
    "an installed package that fails": (["list", "inside:app", "--app-dir", "site-packages"], "inside.py, line 2"),
    "no such document": (["list", "nowhere.json"], "cannot read 'nowhere.json'", "No such file"),
    "a document that is not JSON": (["list", "text.json"], "'text.json' is not JSON"),
    "a document that is not an object": (["list", "list.json"], "expected an object"),
    "a document that is not OpenAPI 3": (["list", "swagger.json"], "expected an OpenAPI 3.0 or 3.1 document"),
    "a document at an unreachable URL": (["list", "http://127.0.0.1:9/openapi.json"], "cannot fetch"),
    "a document that is cut off": (["list", "cut.json.gz"], "cannot read 'cut.json.gz'"),
    "serving a document without a base URL": (["serve", "openapi.json"], "'openapi.json'", "add --base-url"),
    "serving a document over stdio without a base URL": (["stdio", "openapi.json"], "'openapi.json'", "add --base-url"),
    "calling a document without a base URL": (["call", "openapi.json", "stock"], "'openapi.json'", "add --base-url"),
    "configuring a document without a base URL": (["config", "claude-desktop", "openapi.json"], "add --base-url"),
    "a base URL without a scheme": (["serve", "openapi.json", "--base-url", "api"], "--base-url", "got 'api'"),
    "a base URL that is not a URL": (
        ["stdio", "openapi.json", "--base-url", "http://a:b"],
        "--base-url",
        "'http://a:b'",
    ),
    "a base URL for an application": (
        ["serve", "main:app", "--base-url", "http://a"],
        "'main:app' runs in this process",
    ),
    "an unknown tool of a document": (
        ["call", "openapi.json", "stock", "--base-url", "http://127.0.0.1:9"],
        "Unknown tool: 'stock'",
    ),
    "a port out of range": (["serve", "main:app", "--port", "70000"], "--port", "65535"),
    "a port that is not a number": (["serve", "main:app", "--port", "http"], "--port", "'http'"),
    "an address of another machine": (["serve", "main:app", "--host", "192.0.2.1"], "'192.0.2.1'", "--host"),
    "not an address": (["serve", "main:app", "--host", "no such host"], "'no such host'", "--host"),
    "no workers": (["serve", "main:app", "--workers", "0"], "--workers"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write(tmp_path_factory.mktemp("bad"), FILES)
    (made / "cut.json.gz").write_bytes(gzip.compress(b'{"openapi": "3.1.0"}' * 1000)[:-20])
    return made


def error_line(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command that has to fail, and return its one line on stderr."""
    done = toolway(*arguments, cwd=cwd, env=env)

    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(("app", *("words",)), [(app, words) for app, *words in LOADING.values()], ids=list(LOADING))
def test_an_application_that_cannot_be_loaded_is_explained(folder: Path, app: str, words: list[str]) -> None:
    line = error_line("list", app, cwd=folder)

    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("app", "words"),
    [
        ("late:app", ["JSONDecodeError", "late.py, line 7"]),
        ("broken_start:app", ["the application failed to start: KeyError", "broken_start.py, line 7"]),
    ],
    ids=["within Python's own code", "in the application"],
)
def test_a_startup_that_fails_is_explained(folder: Path, app: str, words: list[str]) -> None:
    line = error_line("list", "--start", app, cwd=folder)

    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("arguments", "words"), [(arguments, words) for arguments, *words in COMMANDS.values()], ids=list(COMMANDS)
)
def test_wrong_usage_is_explained(folder: Path, arguments: list[str], words: list[str]) -> None:
    line = error_line(*arguments, cwd=folder)

    assert all(word in line for word in words), line


@pytest.mark.parametrize("command", [["call", "stock"], ["serve", "--port", "0"], ["stdio"]], ids=" ".join)
@pytest.mark.parametrize("app", ["nope:app", "filtered:app"])
def test_every_command_fails_in_one_line(folder: Path, command: list[str], app: str) -> None:
    """Each command imports and starts the application in its own way."""
    name, *rest = command

    assert error_line(name, app, *rest, cwd=folder).startswith("toolway: ")


@pytest.mark.parametrize("command", [["call", "stock"], ["stdio"]], ids=" ".join)
def test_a_failed_startup_is_one_line(folder: Path, command: list[str]) -> None:
    name, *rest = command

    assert "KeyError" in error_line(name, "broken_start:app", *rest, cwd=folder)


def test_a_port_in_use_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])

        line = error_line("serve", "main:app", "--port", port, cwd=folder)

    assert f"port {port} on 127.0.0.1 is already in use" in line
    assert "--port" in line


@pytest.mark.parametrize(
    ("name", "value"), [("TOOLWAY_ALLOWED_HOSTS", "example.com"), ("TOOLWAY_MAX_BODY_BYTES", "-1")]
)
def test_an_invalid_setting_is_one_line(folder: Path, name: str, value: str) -> None:
    line = error_line("list", "main:app", cwd=folder, env={name: value})

    assert "TOOLWAY_" in line
    assert name.removeprefix("TOOLWAY_").lower() in line.lower()


def test_sessions_cannot_be_combined_with_workers(folder: Path) -> None:
    """A session exists only in the process that opened it."""
    line = error_line("serve", "main:app", "--workers", "2", cwd=folder, env={"TOOLWAY_STATEFUL": "true"})

    assert "--workers" in line
    assert "TOOLWAY_STATEFUL" in line
