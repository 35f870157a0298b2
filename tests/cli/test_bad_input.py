"""Whatever a person gets wrong is said in one line on stderr, with exit code 2 and no traceback."""

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
    "no application": ("main:numbers", "expected a FastAPI application at 'main:numbers', found", "'dict'"),
    "a factory without brackets": ("main:make", "found the function 'make'", "write main:make()"),
    "a class": ("main:Maker", "found the class 'Maker'"),
    "a module for an attribute": ("package:__loader__.nope", "has no '__loader__.nope'"),
    "brackets after what is no factory": ("factories:number()", "'int'", "leave the brackets out"),
    "a factory that raises": ("factories:failing()", "RuntimeError: no key", "factories.py, line 2"),
    "an asynchronous factory": ("factories:later()", "asynchronous"),
    "a factory of something else": ("factories:other()", "found an object of type 'int'"),
    "a factory that takes no such value": ("factories:failing(1)", "TypeError", "positional argument"),
    "code in a factory's brackets": ("factories:failing(__import__('os'))", "plain values", "make('eu', debug=True)"),
    "brackets behind brackets": ("factories:failing()()", "plain values", "got '()()'"),
    "half a call": ("factories:failing(x=)", "plain values", "got '(x=)'"),
    "a spread of values": ("factories:failing(**{'a': 1})", "plain values"),
    "a file that is not there": ("nope.py:app", "no file 'nope.py' in"),
    "a file without an application": ("package/__init__.py", "no FastAPI application"),
    "a module alone": ("main", "module:attribute", "got 'main'"),
    "no attribute behind the colon": ("main:", "module:attribute", "got 'main:'"),
    "a relative module": (".main:app", "module:attribute", "got '.main:app'"),
    "a filter that matches nothing": ("filtered:app", "include tags 'nothing' matches no operation"),
    "a marker with an unknown field": ("marked:app", "found 'nmae'"),
}

COMMANDS = {
    "no tool of that name": (["call", "main:app", "stok"], "Unknown tool: 'stok'", "did you mean 'stock'"),
    "no tool named": (["call", "main:app"], "missing the tool's NAME", "toolway call --help"),
    "an argument in a tool's place": (["call", "main:app", "n=3"], "missing the tool's NAME"),
    "nothing to call": (["call"], "toolway call --help"),
    "arguments that are no JSON": (["call", "main:app", "stock", "--json", "{"], "--json is not JSON"),
    "arguments that are no object": (["call", "main:app", "stock", "--json", "[1]"], "takes an object", "'[1]'"),
    "an argument without =": (["call", "main:app", "stock", "n"], "expected key=value", "'n'"),
    "an argument without a name": (["call", "main:app", "stock", "=3"], "expected key=value", "'=3'"),
    "a value that is no JSON": (["call", "main:app", "stock", "n=three"], "n takes JSON (integer), got 'three'"),
    "an unknown client": (["config", "claude-dektop", "main:app"], "'claude-dektop'", "claude-desktop"),
    "an unknown command": (["sevre", "main:app"], "'sevre'", "toolway --help"),
    "an unknown option": (["list", "main:app", "--jsno"], "--jsno"),
    "too many words": (["list", "main:app", "other:app"], "other:app"),
    "a folder that is not there": (["list", "main:app", "--app-dir", "nowhere"], "'nowhere'"),
    "a folder to work in that is not there": (["stdio", "main:app", "--chdir", "nowhere"], "'--chdir'", "'nowhere'"),
    "no project": (["list", "--app-dir", "/"], "no application named", "[tool.toolway]"),
    "a project file that is no TOML": (["list", "--app-dir", "broken"], "cannot read", "pyproject.toml"),
    "an application that is a number": (["list", "--app-dir", "numbered"], "to be text, found 3"),
    "a table that is none": (["list", "--app-dir", "flat"], "to be a table, found 'main:app'"),
    "a project whose module is gone": (["list", "--app-dir", "elsewhere"], "no module 'no_such_module' in"),
    "an installed package that fails": (["list", "inside:app", "--app-dir", "site-packages"], "inside.py, line 2"),
    "no such document": (["list", "nowhere.json"], "cannot read 'nowhere.json'", "No such file"),
    "a document that is no JSON": (["list", "text.json"], "'text.json' is not JSON"),
    "a document that is no object": (["list", "list.json"], "expected an object"),
    "a document that is no OpenAPI 3": (["list", "swagger.json"], "expected an OpenAPI 3.0 or 3.1 document"),
    "a document behind a dead address": (["list", "http://127.0.0.1:9/openapi.json"], "cannot fetch"),
    "a document that is cut off": (["list", "cut.json.gz"], "cannot read 'cut.json.gz'"),
    "serving a document of who knows where": (["serve", "openapi.json"], "'openapi.json'", "--base-url https://"),
    "a document of who knows where over stdio": (["stdio", "openapi.json"], "'openapi.json'", "--base-url https://"),
    "calling who knows where": (["call", "openapi.json", "stock"], "'openapi.json'", "--base-url https://"),
    "configuring who knows what": (["config", "claude-desktop", "openapi.json"], "--base-url https://"),
    "a base URL that is none": (["serve", "openapi.json", "--base-url", "api"], "--base-url", "got 'api'"),
    "a base URL that is no address": (
        ["stdio", "openapi.json", "--base-url", "http://a:b"],
        "--base-url",
        "'http://a:b'",
    ),
    "a base URL of an application": (
        ["serve", "main:app", "--base-url", "http://a"],
        "'main:app' runs in this process",
    ),
    "calling a document whose API does not have it": (
        ["call", "openapi.json", "stock", "--base-url", "http://127.0.0.1:9"],
        "Unknown tool: 'stock'",
    ),
    "a port that cannot be": (["serve", "main:app", "--port", "70000"], "--port", "65535"),
    "a port that is no number": (["serve", "main:app", "--port", "http"], "--port", "'http'"),
    "an address of another machine": (["serve", "main:app", "--host", "192.0.2.1"], "'192.0.2.1'", "--host"),
    "no address at all": (["serve", "main:app", "--host", "no such host"], "'no such host'", "--host"),
    "no workers": (["serve", "main:app", "--workers", "0"], "--workers"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write(tmp_path_factory.mktemp("bad"), FILES)
    (made / "cut.json.gz").write_bytes(gzip.compress(b'{"openapi": "3.1.0"}' * 1000)[:-20])
    return made


def refused(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command that has to refuse, and return its one line."""
    done = toolway(*arguments, cwd=cwd, env=env)

    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(("app", *("words",)), [(app, words) for app, *words in LOADING.values()], ids=list(LOADING))
def test_an_application_that_cannot_be_had_is_explained(folder: Path, app: str, words: list[str]) -> None:
    line = refused("list", app, cwd=folder)

    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("app", "words"),
    [
        ("late:app", ["JSONDecodeError", "late.py, line 7"]),
        ("broken_start:app", ["the application did not start: KeyError", "broken_start.py, line 7"]),
    ],
    ids=["within Python's own code", "in the application"],
)
def test_a_startup_that_fails_is_explained(folder: Path, app: str, words: list[str]) -> None:
    line = refused("list", "--start", app, cwd=folder)

    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("arguments", "words"), [(arguments, words) for arguments, *words in COMMANDS.values()], ids=list(COMMANDS)
)
def test_a_command_that_cannot_be_is_explained(folder: Path, arguments: list[str], words: list[str]) -> None:
    line = refused(*arguments, cwd=folder)

    assert all(word in line for word in words), line


@pytest.mark.parametrize("command", [["call", "stock"], ["serve", "--port", "0"], ["stdio"]], ids=" ".join)
@pytest.mark.parametrize("app", ["nope:app", "filtered:app"])
def test_every_command_refuses_in_one_line(folder: Path, command: list[str], app: str) -> None:
    """The application is imported, and started, in another way by each of them."""
    name, *rest = command

    assert refused(name, app, *rest, cwd=folder).startswith("toolway: ")


@pytest.mark.parametrize("command", [["call", "stock"], ["stdio"]], ids=" ".join)
def test_a_failed_start_is_one_line(folder: Path, command: list[str]) -> None:
    name, *rest = command

    assert "KeyError" in refused(name, "broken_start:app", *rest, cwd=folder)


def test_a_port_in_use_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])

        line = refused("serve", "main:app", "--port", port, cwd=folder)

    assert f"port {port} of 127.0.0.1 is in use" in line
    assert "--port" in line


@pytest.mark.parametrize(
    ("name", "value"), [("TOOLWAY_ALLOWED_HOSTS", "example.com"), ("TOOLWAY_MAX_BODY_BYTES", "-1")]
)
def test_a_setting_that_is_not_right_is_one_line(folder: Path, name: str, value: str) -> None:
    line = refused("list", "main:app", cwd=folder, env={name: value})

    assert "TOOLWAY_" in line
    assert name.removeprefix("TOOLWAY_").lower() in line.lower()


def test_sessions_and_workers_do_not_go_together(folder: Path) -> None:
    """A session lives in the process that opened it."""
    line = refused("serve", "main:app", "--workers", "2", cwd=folder, env={"TOOLWAY_STATEFUL": "true"})

    assert "--workers" in line
    assert "TOOLWAY_STATEFUL" in line
