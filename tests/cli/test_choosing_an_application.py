"""The application that a command uses, and the folder it is imported from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.shell import toolway, write

APP = """
from fastapi import FastAPI
from toolway import Toolway

def make(name="made", *, prefix=""):
    app = FastAPI()

    @app.get(f"{prefix}/{name}", operation_id=prefix.strip("/") + name)
    async def made() -> int:
        return 1

    return app

class Holder:
    app = make()

app = make()
chosen = Toolway(make(), exclude={"methods": ["GET"]})
"""
UNMOUNTED = """
from fastapi import FastAPI
from toolway import Toolway

def make(*tags):
    app = FastAPI()

    @app.get("/open", tags=["open"], operation_id="open")
    @app.get("/secret", tags=["secret"], operation_id="secret")
    async def made() -> int:
        return 1

    for tag in tags:
        Toolway(app, include={"tags": [tag]})
    return app

forgotten = make("open")
unclear = make("secret", "open")
public = Toolway(unclear, include={"tags": ["open"]})
settled = make("secret", "secret", "secret")
Toolway(settled, include={"tags": ["open"]}).mount()
part = make("open")
Toolway({"part": part})
"""
SEVERAL = """
from fastapi import FastAPI
from toolway import Toolway

app = FastAPI()

@app.get("/hours", tags=["public"], operation_id="hours")
@app.get("/salaries", operation_id="salaries")
async def made() -> int:
    return 1

public = Toolway(app, include={"tags": ["public"]}).mount("/public")
staff = Toolway(app).mount("/staff").mount("/again")

site = FastAPI()
site.mount("/api", app)
"""
FILES = {
    "shop/__init__.py": "",
    "shop/several.py": SEVERAL,
    "shop/unmounted.py": UNMOUNTED,
    "shop/main.py": APP,
    "shop/beside.py": "from shop.main import app\n",
    "shop/deep/deeper/note.txt": "",
    "pyproject.toml": '[project]\nname = "shop"\n\n[tool.toolway]\napp = "shop.main:app"\n',
    "inner/pyproject.toml": "[tool.other]\n",
    "documented/pyproject.toml": '[tool.toolway]\napp = "api.json"\n',
    "documented/api.json": json.dumps(
        {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {"responses": {}}}}}
    ),
    "documented/deep/note.txt": "",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("project"), FILES)


def listed(*arguments: str | Path, cwd: Path) -> list[str]:
    done = toolway("list", *arguments, "--json", cwd=cwd)

    assert done.returncode == 0, done.stderr
    return [tool["name"] for tool in json.loads(done.stdout)["tools"]]


@pytest.mark.parametrize(
    "app", ["shop.main:app", "shop.main:make()", "shop.main:Holder.app", "shop.beside:app"], ids=str
)
def test_an_application_is_an_attribute_or_the_result_of_a_factory(project: Path, app: str) -> None:
    assert listed(app, cwd=project) == ["made"]


@pytest.mark.parametrize(
    ("app", "tool"),
    [
        ("shop.main:make('chosen')", "chosen"),
        ('shop.main:make("some", prefix="/deep_")', "deep_some"),
        ("shop.main:make(prefix='/a(b:c)_')", "a_b_c__made"),
    ],
)
def test_a_factory_takes_literal_arguments(project: Path, app: str, tool: str) -> None:
    """Airflow needs them, for example: ``create_app(apps="core")`` returns another application."""
    assert listed(app, cwd=project) == [tool]


def test_a_toolway_keeps_its_own_selection(project: Path) -> None:
    assert listed("shop.main:chosen", cwd=project) == []


@pytest.mark.parametrize("app", ["forgotten", "make('open')", "public", "settled", "part"])
def test_a_toolway_that_is_not_mounted_keeps_its_selection(project: Path, app: str) -> None:
    """Its filters apply although ``.mount()`` was forgotten; a mounted Toolway takes precedence over all others."""
    assert listed(f"shop.unmounted:{app}", cwd=project) == ["open"]


@pytest.mark.parametrize("command", ["call", "config", "lint", "list", "serve", "stdio"])
def test_several_toolways_without_a_mounted_one_are_refused(project: Path, command: str) -> None:
    words = {"config": ["config", "claude-desktop"], "serve": ["serve", "--port", "0"]}.get(command, [command])
    tool = ["secret"] if command == "call" else []

    done = toolway(*words, "shop.unmounted:unclear", *tool, cwd=project)

    assert (done.returncode, done.stdout) == (2, "")
    assert "'shop.unmounted:unclear' has several Toolway instances and none is mounted" in done.stderr
    assert "pass one as module:attribute" in done.stderr


@pytest.mark.parametrize("command", ["call", "config", "lint", "list", "stdio"])
def test_a_command_for_one_of_several_toolways_explains_how_to_pass_the_others(project: Path, command: str) -> None:
    words = ["config", "claude-desktop"] if command == "config" else [command]
    tool = ["hours"] if command == "call" else []

    first = toolway(*words, "shop.several:app", *tool, cwd=project)
    named = toolway(*words, "shop.several:public", *tool, cwd=project)

    assert first.stderr.startswith("toolway: using the Toolway mounted at '/public'; for '/staff' or ")
    assert " pass that Toolway as module:attribute\n" in first.stderr
    assert "using the Toolway" not in named.stderr
    assert (first.returncode, named.returncode) == (0, 0)


def test_each_of_several_toolways_can_be_passed(project: Path) -> None:
    """The error for an unknown tool also shows how to pass the Toolway that may have it."""
    unknown = toolway("call", "shop.several:app", "salaries", cwd=project)
    known = toolway("call", "shop.several:staff", "salaries", cwd=project)

    assert "Unknown tool: 'salaries'" in unknown.stderr
    assert "for '/staff'" in unknown.stderr
    assert (known.stdout, known.stderr) == ("1\n", "")


def test_the_toolway_of_a_mounted_application_is_not_used_for_the_outer_one(project: Path) -> None:
    """It has its own filters, which do not apply to the outer application."""
    done = toolway("list", "shop.several:site", cwd=project)

    assert "using all operations of 'shop.several:site'; for '/public' of 'FastAPI' or" in done.stderr


def test_the_project_configures_the_application_for_all_folders_below(project: Path) -> None:
    """A ``pyproject.toml`` without the table is skipped, and the module is imported from the project folder."""
    assert listed(cwd=project) == ["made"]
    assert listed(cwd=project / "shop" / "deep" / "deeper") == ["made"]
    assert listed(cwd=project / "inner") == ["made"]


def test_the_folder_can_be_set(project: Path, tmp_path: Path) -> None:
    assert listed("shop.main:app", "--app-dir", project, cwd=tmp_path) == ["made"]
    assert listed("--app-dir", project / "inner", cwd=tmp_path) == ["made"]


def test_a_project_may_configure_a_document(project: Path) -> None:
    assert listed(cwd=project / "documented" / "deep") == ["get_a"]


def test_a_call_distinguishes_an_application_from_a_tool_name(project: Path) -> None:
    with_app = toolway("call", "shop.main:app", "made", cwd=project)
    without = toolway("call", "made", cwd=project / "inner")

    assert (with_app.stdout, without.stdout) == ("1\n", "1\n")


def test_a_colon_in_a_value_does_not_make_it_an_application(project: Path) -> None:
    """The first word is still the tool name, and the others are its arguments."""
    done = toolway("call", "made", "url=http://example.com/a.json", cwd=project)

    assert done.returncode == 1
    assert "'url'" in done.stderr


def test_the_version_and_help_need_no_application(tmp_path: Path) -> None:
    version = toolway("--version", cwd=tmp_path)
    bare = toolway(cwd=tmp_path)
    command = toolway("call", "--help", cwd=tmp_path)

    assert version.stdout.startswith("toolway, version ")
    assert (bare.returncode, bare.stderr) == (0, "")
    assert all(name in bare.stdout for name in ("serve", "stdio", "list", "call", "config"))
    assert "[APP] NAME [KEY=VALUE]..." in command.stdout


PARSING = """
import argparse
from fastapi import FastAPI

argparse.ArgumentParser().parse_args()
service = FastAPI()

@service.get("/a", tags=["first"], operation_id="a")
@service.delete("/b", tags=["second"], operation_id="b")
async def made() -> int:
    return 1
"""
LAYOUT = {
    "examples/01_basic.py": PARSING,
    "package/__init__.py": "",
    "package/inner/__init__.py": "",
    "package/inner/main.py": "from package.inner import __name__ as name\n" + PARSING,
    "entry/pyproject.toml": '[tool.fastapi]\nentrypoint = "examples.01_basic:service"\n',
    "entry/examples/01_basic.py": PARSING,
    "filtered/pyproject.toml": '[tool.toolway]\napp = "main.py"\nexclude = { tags = ["second"] }\n',
    "filtered/main.py": PARSING,
    "misspelt/pyproject.toml": '[tool.toolway]\napp = "main.py"\nexlude = { tags = ["second"] }\n',
    "foreign/pyproject.toml": '[tool.toolway]\napp = "main.py"\ninclude_tags = ["second"]\n',
    "maps/pyproject.toml": '[tool.toolway]\napp = "main.py"\nroute_maps = []\n',
}


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("layout"), LAYOUT)


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        (["examples.01_basic:service"], "."),
        (["examples/01_basic.py"], "."),
        (["package/inner/main.py:service"], "."),
        ([], "entry"),
    ],
    ids=["module with digits", "file", "file in packages", "entrypoint"],
)
def test_an_application_is_found_by_file_and_sees_no_command_line_arguments(
    layout: Path, arguments: list[str], folder: str
) -> None:
    assert sorted(listed(*arguments, cwd=layout / folder)) == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "tools"),
    [
        (["--include", "tags=first"], ["a"]),
        (["--exclude", "/a"], ["b"]),
        (["--exclude", "methods=DELETE", "--include", "operations=a", "--include", "operations=b"], ["a"]),
        (["--expose", "marked"], []),
    ],
    ids=" ".join,
)
def test_the_command_line_narrows_what_is_listed(layout: Path, options: list[str], tools: list[str]) -> None:
    assert listed("examples/01_basic.py", *options, cwd=layout) == tools


def test_the_project_and_the_command_line_narrow_together(layout: Path) -> None:
    folder = layout / "filtered"
    assert listed(cwd=folder) == ["a"]
    assert listed("--expose", "marked", cwd=folder) == []
    done = toolway("list", "--exclude", "tags=nope", cwd=folder)
    assert "No operation has the tag 'nope' (exclude={'tags': ...})" in done.stderr


def test_the_command_line_narrows_every_toolway_of_the_application(project: Path) -> None:
    assert listed("shop.several:app", "--exclude", "operations=hours", "--expose", "all", cwd=project) == []
    assert listed("shop.several:site", "--exclude", "/api/salaries", cwd=project) == ["hours"]


@pytest.mark.parametrize(
    ("folder", "arguments", "words"),
    [
        ("misspelt", [], "unknown key 'exlude'; use exclude"),
        ("foreign", [], "unknown key 'include_tags'; use include = { tags = [...] }"),
        ("maps", [], "unknown key 'route_maps'; use include and exclude"),
        (
            ".",
            ["examples/01_basic.py", "--include-tags", "a"],
            "no such option --include-tags; use --include tags=NAME",
        ),
        (".", ["examples/01_basic.py", "--include", "a"], "--include expects KEY=VALUE"),
    ],
)
def test_a_wrong_filter_is_refused_with_a_suggestion(
    layout: Path, folder: str, arguments: list[str], words: str
) -> None:
    done = toolway("list", *arguments, cwd=layout / folder)

    assert done.returncode == 2
    assert words in done.stderr


def test_an_empty_list_is_explained(layout: Path) -> None:
    done = toolway("list", "examples/01_basic.py", "--exclude", "/*", cwd=layout)

    assert "0 tools" in done.stdout
    assert "include and exclude filter out all of them" in done.stderr
