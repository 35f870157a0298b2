"""Tools as Python functions: valid Python for every schema, with types that accept what the schema accepts."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import typing
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, NotRequired

import pytest
from fastapi import FastAPI, Query
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter
from typing_extensions import TypedDict

from tests.catalog.looking import catalog_of, only_tool
from tests.catalog.stubs.schemas import malformed_schemas, names, schemas_with_values
from tools.main import create_app
from toolway.catalog import Tool, ToolAnnotations
from toolway.catalog.stubs import read_signatures, write_signature, write_stub


class Line(BaseModel):
    sku: str
    quantity: int = 1


class Order(BaseModel):
    order_id: str
    status: Literal["pending", "shipped"]
    lines: list[Line]
    total: float | None


class Options(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


async def configure(options: Options) -> None: ...


async def find_orders(
    customer: Annotated[str, Query(description="Customer id, such as 'c1'. Never a name.")],
    limit: Annotated[int, Query(description="The most orders to return")] = 20,
    status: Literal["pending", "shipped"] | None = None,
) -> list[Order]:
    """Find the orders of a customer."""
    return []


async def tool_of(endpoint: Any, **options: Any) -> Tool:
    app = FastAPI()
    app.add_api_route("/orders", endpoint, **options)
    return await only_tool(app)


def tool_with(schema: dict[str, Any], output: dict[str, Any] | None = None, name: str = "work") -> Tool:
    hints = ToolAnnotations(read_only=True, destructive=None, idempotent=None, open_world=False)
    return Tool(name=name, title="", description="", input_schema=schema, output_schema=output, annotations=hints)


async def test_a_signature_has_the_types_of_the_arguments_and_of_the_result() -> None:
    tool = await tool_of(find_orders, operation_id="find_orders")
    status = "status: Literal['pending', 'shipped']"
    assert write_signature(tool).splitlines() == [
        f"async def find_orders(customer: str, *, limit: int = 20, {status} | None = ...) -> list[Order]: ...",
        f"class Order(TypedDict): order_id: str; {status}; lines: list[Line]; total: float | None",
        "class Line(TypedDict): sku: str; quantity: NotRequired[int]",
    ]


async def test_comments_describe_the_arguments_as_far_as_there_is_room() -> None:
    description = "Customer id, such as 'c1'. Never a name, an address, or the id of an order."
    properties = {
        "customer": {"type": "string", "description": description, "pattern": "^c[0-9]+$", "examples": ["c1", "c20"]},
        "limit": {"type": "integer", "minimum": 1, "maximum": 50, "description": f"{'The most orders ' * 9}"},
    }
    tool = tool_with({"type": "object", "properties": properties, "required": ["customer"]})
    assert write_signature(tool).splitlines() == [
        "async def work(customer: str, *, limit: int = ...) -> Any: ...",
        "# customer: Customer id, such as 'c1'",
    ]


async def test_names_that_python_does_not_allow_are_changed_and_changed_back() -> None:
    schema = {
        "type": "object",
        "properties": {"from": {"type": "string"}, "x-token": {"type": "string"}, "x_token": {"type": "integer"}},
        "required": ["from"],
    }
    (signature,) = read_signatures([tool_with(schema, name="import-all")]).values()
    assert signature.function == "import_all"
    assert signature.bind(("here",), {"x_token": "t", "x_token_2": 1}) == {"from": "here", "x-token": "t", "x_token": 1}
    assert "async def import_all(from_: str, *, x_token: str = ..., x_token_2: int = ...)" in write_stub([signature])


async def test_tools_do_not_hide_the_names_of_types() -> None:
    tools = [tool_with({"type": "object"}, name=name) for name in ("list", "str", "Order", "get.order", "get-order")]
    assert list(read_signatures(tools)) == ["list_", "str_", "Order", "get_order", "get_order_2"]


@pytest.mark.parametrize(
    ("values", "named", "problem"),
    [
        (("a", "b"), {}, r"takes 1 positional argument\(s\), got 2"),
        (("a",), {"customer": "b"}, r"multiple values for argument 'customer'"),
        (("a",), {"limits": 1}, r"unexpected argument 'limits'"),
    ],
)
async def test_a_call_that_does_not_match_is_refused(values: tuple[Any, ...], named: Any, problem: str) -> None:
    (signature,) = read_signatures([await tool_of(find_orders)]).values()
    with pytest.raises(TypeError, match=problem):
        signature.bind(values, named)


async def test_tools_share_classes_only_if_these_are_equal() -> None:
    def output(kind: str) -> dict[str, Any]:
        item = {"type": "object", "properties": {"id": {"type": kind}}, "required": ["id"]}
        page = {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/Item"}}}}
        return {"$ref": "#/$defs/Page", "$defs": {"Page": page, "Item": item}}

    kinds = ("string", "string", "integer")
    tools = [tool_with({"type": "object"}, output(kind), f"list_{at}") for at, kind in enumerate(kinds)]
    stub = write_stub(read_signatures(tools).values())
    assert "async def list_0() -> Page: " in stub
    assert "async def list_1() -> Page: " in stub
    assert "async def list_2() -> Page_2: " in stub
    assert "class Item_2(TypedDict): id: int" in stub


async def test_an_argument_of_an_open_schema_is_accepted() -> None:
    (signature,) = read_signatures([await tool_of(configure, methods=["POST"])]).values()
    assert "(name: str, **others: Any)" in write_stub([signature])
    assert signature.bind(("a",), {"color": "red"}) == {"name": "a", "color": "red"}


async def test_signatures_take_at_most_a_third_of_the_schemas() -> None:
    shares: dict[str, float] = {}
    for tool in (await catalog_of(create_app())).tools.values():
        schemas = [schema for schema in (tool.input_schema, tool.output_schema) if schema is not None]
        size = sum(len(json.dumps(schema, separators=(",", ":"))) for schema in schemas)
        if size > 400:  # a shorter one is little more than its names
            shares[tool.name] = len(write_signature(tool)) / size
    assert len(shares) >= 15
    assert {name: share for name, share in shares.items() if share > 1 / 3} == {}


@settings(max_examples=300, deadline=None)
@given(case=schemas_with_values(), output=st.none() | malformed_schemas, name=names)
def test_any_schema_gives_python_that_parses(case: tuple[dict[str, Any], Any], output: Any, name: str) -> None:
    tool = tool_with(case[0], output, name or "work")
    ast.parse(write_signature(tool))
    signatures = read_signatures([tool])
    ast.parse(write_stub(signatures.values()))
    (signature,) = signatures.values()
    assert signature.function.isidentifier()
    named = {parameter: case[1][argument] for parameter, argument in signature.arguments.items()}
    assert signature.bind((), named) == case[1]


@settings(max_examples=300, deadline=None)
@given(schema=malformed_schemas, output=malformed_schemas)
def test_a_malformed_schema_gives_python_that_parses(schema: Any, output: Any) -> None:
    tool = tool_with(schema, output)
    ast.parse(write_signature(tool))
    ast.parse(write_stub(read_signatures([tool]).values()))


@settings(max_examples=400, deadline=None)
@given(case=schemas_with_values())
def test_types_accept_what_the_schema_accepts(case: tuple[dict[str, Any], Any]) -> None:
    (signature,) = read_signatures([tool_with(case[0])]).values()
    function = run_stub(write_stub([signature]))["work"]
    types = typing.get_type_hints(function, include_extras=True)
    for parameter, argument in signature.arguments.items():
        TypeAdapter(types[parameter]).validate_python(case[1][argument], strict=True)


def run_stub(source: str) -> dict[str, Any]:
    """Run a stub, the classes that it uses first, and return its names."""
    module = sys.modules["stub_under_test"] = ModuleType("stub_under_test")
    vars(module).update({"Any": Any, "Literal": Literal, "NotRequired": NotRequired, "TypedDict": TypedDict})
    for line in reversed(source.splitlines()):
        exec(f"from __future__ import annotations\n{line}", vars(module))
    return vars(module)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(cases=st.lists(st.tuples(schemas_with_values(), st.none() | malformed_schemas, names), min_size=40, max_size=80))
def test_any_schema_gives_python_that_type_checks(cases: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("stubs")
    for at, ((schema, _), output, name) in enumerate(cases):
        tools = [tool_with(schema, output, name or "work"), tool_with(schema, output, "again")]
        folder.joinpath(f"stub_{at}.pyi").write_text(write_stub(read_signatures(tools).values()), encoding="utf-8")
    assert find_type_errors(folder) == []


def find_type_errors(folder: Path) -> list[str]:
    """Return what the type checker reports about the files in a folder."""
    folder.joinpath("pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}', encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--project", str(folder)]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert report["summary"]["filesAnalyzed"] > 0
    return [f"{entry['file']}: {entry['message']}" for entry in report["generalDiagnostics"]]
