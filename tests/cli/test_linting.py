"""``toolway lint``: its report as text and as JSON, and its exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.shell import TOOLWAY, environment, toolway, write
from tests.support import SHARED, require

GOOD = '''
from fastapi import FastAPI

app = FastAPI(title="Shop")

@app.get("/orders")
async def count_orders() -> int:
    """Count the orders that wait to be packed."""
    return 3
'''
MANY = f"""{GOOD}
for number in range(7):
    options = {{"methods": ["POST"], "operation_id": f"drop_{{number}}"}}
    app.add_api_route(f"/drop/{{number}}", lambda first, second: None, **options)
"""


ALIASES = """
from fastapi import FastAPI

app = FastAPI(title="Shop")

@app.get("/v1/stock", operation_id="stock_v1")
@app.get("/stock", operation_id="stock")
async def stock() -> int:
    return 3
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("lint"), {"good.py": GOOD, "many.py": MANY})


def test_an_application_without_findings_gets_costs_and_a_summary(folder: Path) -> None:
    done = toolway("lint", "good:app", cwd=folder)

    assert (done.returncode, done.stderr) == (0, "")
    heading, cost, empty, verdict = done.stdout.splitlines()
    assert heading.split() == ["bytes", "tokens", "share", "tool"]
    assert cost.split()[2:] == ["100.0%", "count_orders"]
    assert empty == ""
    assert verdict.startswith("1 tool, about ")
    assert verdict.endswith(" tokens: 0 errors, 0 warnings, 0 notes, 0 suppressed")


def test_the_text_shows_counts_first_and_then_findings(folder: Path) -> None:
    done = toolway("lint", "many:app", cwd=folder, env={"COLUMNS": "120"})

    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "D1  error       7  No description"
    assert "D4  warn       14  Argument without a description" in lines
    assert "D1 error: No description" in lines
    assert "    POST /drop/0 first, second: has no description" in lines
    assert "    POST /drop/5 first, second: has no description" not in lines
    assert "    ... and 2 more; --all shows them" in lines


def test_all_findings_are_shown_on_request(folder: Path) -> None:
    done = toolway("lint", "many:app", "--all", cwd=folder, env={"COLUMNS": "120"})

    assert "    POST /drop/6 first, second: has no description" in done.stdout.splitlines()
    assert "more; --all" not in done.stdout


def test_stdout_has_nothing_but_the_json_report(noisy: Path) -> None:
    done = toolway("lint", "main:app", "--json", cwd=noisy)

    report = json.loads(done.stdout)
    assert report["server"] == "warehouse"
    assert report["tools"] == len(report["costs"]) == 6
    assert sum(report["levels"].values()) == len(report["findings"])
    assert {"rule", "level", "method", "path", "tool", "parameter", "message", "why", "fix"} == set(
        report["findings"][0]
    )


@pytest.mark.parametrize(
    ("app", "limit", "code"),
    [
        ("many:app", "never", 0),
        ("many:app", "error", 1),
        ("many:app", "warn", 1),
        ("many:app", "D4", 1),
        ("many:app", "n1,d4", 1),
        ("many:app", "N1,D5", 0),
        ("good:app", "error,warn", 0),
    ],
)
def test_the_exit_code_depends_on_the_given_levels_and_rules(folder: Path, app: str, limit: str, code: int) -> None:
    done = toolway("lint", app, "--fail-on", limit, cwd=folder)
    assert (done.returncode, done.stderr) == (code, "")


def test_an_unknown_level_or_rule_is_refused(folder: Path) -> None:
    done = toolway("lint", "good:app", "--fail-on", "D9", cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "expected error, warn, never or rules (N1," in done.stderr
    assert "got 'D9'" in done.stderr


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_document_is_linted_and_the_reader_may_close_stdout_early(options: list[str], tmp_path: Path) -> None:
    document = SHARED / "data" / "openapi" / "openwebui.json.gz"
    require(document.exists(), f"needs {document.name} of the shared data")
    with subprocess.Popen(
        [*TOOLWAY, "lint", str(document), "--all", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()

        assert process.stderr.read() == ""


def test_only_some_rules_and_tools_are_reported(folder: Path) -> None:
    done = toolway("lint", "many:app", "--only", "d4,d1", "--tool", "drop_3", "--json", cwd=folder)

    report = json.loads(done.stdout)
    assert {(entry["rule"], entry["tool"]) for entry in report["findings"]} == {("D1", "drop_3"), ("D4", "drop_3")}
    assert [cost["tool"] for cost in report["costs"]] == ["drop_3"]


@pytest.mark.parametrize(
    ("options", "message"),
    [(("--only", "D99"), "expected rules (N1, "), (("--tool", "drop"), "unknown tool: 'drop'; did you mean 'drop_")],
)
def test_a_rule_or_tool_that_does_not_exist_is_refused(folder: Path, options: tuple[str, ...], message: str) -> None:
    done = toolway("lint", "many:app", *options, cwd=folder)

    assert done.returncode == 2
    assert message in done.stderr


def test_a_finding_on_several_paths_of_one_endpoint_is_one_line(folder: Path) -> None:
    write(folder, {"aliases.py": ALIASES})

    done = toolway("lint", "aliases:app", "--only", "D1", cwd=folder, env={"COLUMNS": "120"})

    assert "    GET /stock, GET /v1/stock: agents see only 'Stock', generated from the endpoint's name or path" in (
        done.stdout.splitlines()
    )
