"""``toolway list``: the catalog as text and as JSON."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.cli.shell import TOOLWAY, environment, noises, toolway, write
from tests.support import SHARED, require

DOCUMENTS = ("airflow", "docling", "galaxium", "langflow", "openwebui", "titiler")
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
SWALLOWED = """
from fastapi import FastAPI

app = FastAPI()

@app.post("/deep", openapi_extra={"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/nowhere"}}}}})
async def deep() -> int:
    return 1

@app.get("/fine")
async def fine() -> int:
    return 1
"""


def test_the_text_shows_the_description_and_arguments_of_each_tool(noisy: Path) -> None:
    done = toolway("list", "main:app", cwd=noisy)

    assert done.returncode == 0
    stock, *_, counts = done.stdout.split("\n\n")
    assert stock.splitlines() == [
        "stock  (read only)",
        "  Return how many pieces there are.",
        "    product (required): string",
        "    pieces: integer",
        '    kind: "new" | "used"',
    ]
    assert "drop  (writes, destructive, idempotent)" in done.stdout
    assert counts.strip() == "6 tools, 0 skipped"


def test_a_skipped_operation_is_listed_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": SWALLOWED})

    done = toolway("list", "main:app", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "skipped: POST /deep: the schema reference '#/nowhere'" in done.stdout
    assert done.stdout.endswith("1 tool, 1 skipped\n")


UNMARKED = """
from fastapi import FastAPI
from toolway import Toolway, agent_tool

app = FastAPI()

@app.get("/plain")
async def plain() -> int:
    return 1

@app.get("/hidden", include_in_schema=False)
@agent_tool()
async def hidden() -> int:
    return 1

Toolway(app, expose="marked").mount()
"""


def test_an_empty_catalog_is_explained(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": UNMARKED})

    done = toolway("list", "main:app", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert (
        "skipped: GET /hidden: it has a marker, but include_in_schema=False keeps it out of the OpenAPI document"
        in done.stdout
    )
    assert done.stderr == (
        "none of the operations of 'FastAPI' (1) is offered to agents: expose='marked' selects only endpoints with a "
        "marker, such as @agent_tool()\n"
    )


OFFERING = """
from fastapi import FastAPI
from toolway import agent_prompt, agent_resource

app = FastAPI()

@app.get("/orders/{order_id}", operation_id="order")
@agent_resource("orders://{order_id}")
async def order(order_id: str) -> str:
    'One order.'
    return order_id

@app.get("/greeting", operation_id="greet")
@agent_prompt()
async def greet(name: str, mood: str = "glad") -> str:
    'Greet a person.'
    return name
"""


def test_resources_and_prompts_are_listed_beside_tools(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": OFFERING})

    shown = toolway("list", "main:app", cwd=tmp_path).stdout
    known = json.loads(toolway("list", "main:app", "--json", cwd=tmp_path).stdout)

    assert "Resources\norders://{order_id}: One order.\n" in shown
    assert "Prompts\ngreet(name, mood): Greet a person.\n" in shown
    assert shown.endswith("1 tool, 1 resource, 1 prompt, 0 skipped\n")
    assert [entry["uriTemplate"] for entry in known["resources"]] == ["orders://{order_id}"]
    assert [argument["name"] for argument in known["prompts"][0]["arguments"]] == ["name", "mood"]


def test_a_list_is_read_without_starting_the_application(noisy: Path) -> None:
    done = toolway("list", "main:app", cwd=noisy)

    assert noises(done.stderr.splitlines()) == {"import"}


def test_stdout_has_nothing_but_the_json_definitions(noisy: Path) -> None:
    """All output of the application goes to stderr."""
    done = toolway("list", "main:app", "--start", "--json", cwd=noisy)

    tools = json.loads(done.stdout)["tools"]
    assert [tool["name"] for tool in tools] == ["stock", "drop", "echo", "picture", "process", "failing"]
    assert tools[0]["inputSchema"]["required"] == ["product"]
    assert tools[1]["annotations"]["destructiveHint"] is True
    # As a client of 2026-07-28 receives it: results that are not objects are no longer wrapped.
    assert tools[4]["outputSchema"] == {"type": "integer"}
    assert noises(done.stderr.splitlines()) == {
        "import", "start", "past the redirection", "descriptor", "child", "stop",
    }  # fmt: skip


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_the_reader_may_close_stdout_early(options: list[str]) -> None:
    """As with ``toolway list | head -1``, and more output than a pipe can hold."""
    document = SHARED / "data" / "openapi" / "openwebui.json.gz"
    require(document.exists(), f"needs {document.name} of the shared data")
    with subprocess.Popen(
        [*TOOLWAY, "list", str(document), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()

        assert process.stderr.read() == ""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_operation_of_a_document_is_listed_once_with_valid_schemas(name: str, tmp_path: Path) -> None:
    path = SHARED / "data" / "openapi" / f"{name}.json.gz"
    require(path.exists(), f"needs {path.name} of the shared data")

    done = toolway("list", path, "--json", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    tools = json.loads(done.stdout)["tools"]
    names = [tool["name"] for tool in tools]
    titles = list(summaries(path))
    assert len(tools) == len(titles)
    assert [tool["title"] for tool in tools if "title" in tool] == [
        title for tool, title in zip(tools, titles, strict=True) if "title" in tool
    ]
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name)] == []
    assert len(set(names)) == len(names)
    schemas = [tool[side] for tool in tools for side in ("inputSchema", "outputSchema") if side in tool]
    assert len(schemas) >= len(tools)
    for schema in schemas:
        Draft202012Validator.check_schema(schema)
        assert list(dangling(schema)) == []


def summaries(path: Path) -> Iterator[str]:
    """Yield the summary of each operation of a document, which all these documents have."""
    document = json.loads(gzip.decompress(path.read_bytes()))
    for item in document["paths"].values():
        for method, operation in item.items():
            if method in METHODS - {"head", "options", "trace"}:  # skipped: they return nothing to an agent
                yield operation["summary"]


def dangling(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the references that do not resolve within the schema."""
    pending: list[Any] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.removeprefix("#/$defs/") not in schema.get("$defs", {}):
                yield reference
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)


@pytest.mark.parametrize("options", [("--no-output-schemas",), ()], ids=["withheld", "published"])
@pytest.mark.parametrize("is_document", [True, False], ids=["document", "application"])
def test_output_schemas_can_be_withheld(tmp_path: Path, options: tuple[str, ...], is_document: bool) -> None:
    code = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/count')\ndef count() -> int: return 3\n"
    write(tmp_path, {"shop.py": code})
    app = "shop:app"
    if is_document:
        names: dict[str, Any] = {}
        exec(code, names)
        write(tmp_path, {"openapi.json": json.dumps(names["app"].openapi())})
        app = "openapi.json"

    (tool,) = json.loads(toolway("list", app, "--json", *options, cwd=tmp_path).stdout)["tools"]

    assert ("outputSchema" in tool) == (not options)


@pytest.mark.parametrize(("profile", "has_type_list"), [("full", True), ("lean", True), ("portable", False)])
def test_definitions_are_listed_in_the_chosen_profile(tmp_path: Path, profile: str, has_type_list: bool) -> None:
    code = """
        from typing import Annotated
        from fastapi import FastAPI, Query
        from pydantic import WithJsonSchema
        app = FastAPI()
        @app.get('/count')
        def count(of: Annotated[str, Query(), WithJsonSchema({'type': ['string', 'null']})]) -> int: return 3
    """
    write(tmp_path, {"shop.py": textwrap.dedent(code)})

    (tool,) = json.loads(toolway("list", "shop:app", "--json", "--schemas", profile, cwd=tmp_path).stdout)["tools"]

    assert isinstance(tool["inputSchema"]["properties"]["of"].get("type"), list) == has_type_list
