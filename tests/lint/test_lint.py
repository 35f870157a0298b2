"""The report as a whole: levels, suppression, cost, real documents and the demo application."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from tests.lint.looking import found, report_of
from tests.support import SHARED, require
from tools.main import create_app
from tools.retail.settings import RetailSettings
from toolway import Toolway, agent_tool
from toolway.catalog import Catalog, build_catalog
from toolway.errors import ConfigurationError
from toolway.lint import RULES, check, lint
from toolway.mounts import toolway_of
from toolway.openapi import load_document, read_document

pytestmark = pytest.mark.anyio

DOCUMENTS = ("airflow", "docling", "galaxium", "langflow", "openwebui", "titiler")
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
KEYWORDS = (
    "$ref", "$schema", "additionalProperties", "allOf", "anyOf", "default", "description", "enum", "examples", "format",
    "items", "maxItems", "oneOf", "pattern", "prefixItems", "properties", "required", "title", "type",
)  # fmt: skip
VALUES = (None, True, 3, "x", "#/nowhere", [], [3], [{}], [True], {}, {"a": 3}, {"a": {}}, {"a": True})


def shop(**ignored: str) -> FastAPI:
    app = FastAPI(title="Shop")

    @app.get("/stock")
    @agent_tool(lint_ignore=ignored or None)
    async def stock(product: str) -> Any:
        """Get the number of pieces of a product in stock."""

    @app.get("/shelves", openapi_extra={"x-toolway": {"lint_ignore": {"R1": "there are four shelves"}}})
    async def shelves(floor: int) -> list[str]:
        """List the shelves of the warehouse, from the door to the wall."""
        return []

    return app


async def test_a_finding_has_its_location_reason_and_fix() -> None:
    (first, _) = await found("D4", shop())
    assert first.to_dict() == {
        "rule": "D4",
        "level": "warn",
        "method": "GET",
        "path": "/stock",
        "tool": "stock",
        "parameter": "product",
        "message": "has no description",
        "why": RULES["D4"].why,
        "fix": RULES["D4"].fix,
    }


async def test_an_endpoint_can_suppress_a_rule() -> None:
    report = await report_of(shop(D4="the name is enough", R2="any value is possible"))

    assert [(entry.rule.id, entry.location.tool) for entry in report.findings] == [("D4", "shelves")]
    assert [(entry.finding.rule.id, entry.finding.location.path, entry.reason) for entry in report.suppressed] == [
        ("D4", "/stock", "the name is enough"),
        ("R1", "/shelves", "there are four shelves"),
        ("R2", "/stock", "any value is possible"),
    ]
    assert [entry["reason"] for entry in report.to_dict()["suppressed"]] == [
        entry.reason for entry in report.suppressed
    ]


async def test_suppression_needs_a_reason() -> None:
    with pytest.raises(ConfigurationError, match="GET /stock: expected a reason for 'D4' in lint_ignore"):
        await report_of(shop(D4=" "))


async def test_suppressing_an_unknown_rule_suggests_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r"lint_ignore names an unknown rule: 'd4'; .* did you mean 'D4'"):
        await report_of(shop(d4="the name is enough"))


async def test_excluded_operations_are_not_linted() -> None:
    report = await report_of(shop(), exclude={"paths": ["/shelves"]})
    assert {finding.location.path for finding in report.findings} == {"/stock"}


async def test_every_tool_has_a_cost_and_the_most_expensive_is_first() -> None:
    report = await report_of(shop())

    assert [cost.location.tool for cost in report.costs] == ["shelves", "stock"]
    assert report.size == sum(cost.size for cost in report.costs)
    assert report.tokens == report.size // 4
    assert sum(cost.share for cost in report.costs) == pytest.approx(1)


async def test_an_application_without_endpoints_has_no_findings() -> None:
    report = await report_of(FastAPI())
    assert (report.findings, report.costs, report.tokens) == ((), (), 0)


def catalog_of_document(name: str) -> Catalog:
    path = SHARED / "data" / "openapi" / f"{name}.json.gz"
    require(path.exists(), f"needs {path.name} of the shared data")
    return build_catalog(read_document(load_document(str(path))))


def operations_of(path: Path) -> Counter[tuple[str, str]]:
    document = json.loads(gzip.decompress(path.read_bytes()))
    return Counter(
        (method.upper(), where) for where, item in document["paths"].items() for method in item if method in METHODS
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_operation_of_a_document_is_a_tool_or_skipped_with_a_reason_and_linted(name: str) -> None:
    catalog = catalog_of_document(name)
    report = lint(catalog, name)

    linted = Counter((str(cost.location.method), str(cost.location.path)) for cost in report.costs)
    skipped = Counter((entry.method, entry.path) for entry in catalog.skipped if entry.reason)
    assert linted + skipped == operations_of(SHARED / "data" / "openapi" / f"{name}.json.gz")
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()
    assert {finding.location.tool for finding in report.findings} <= {None, *catalog.tools}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_in_a_real_document_is_reported_as_poisoned(name: str) -> None:
    findings = lint(catalog_of_document(name), name).findings
    assert [finding.message for finding in findings if finding.rule.id in {"D5", "S1"}] == []


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_a_malformed_schema_does_not_break_the_report(keyword: str) -> None:
    """At worst, a wrong value under a keyword skips the tool."""
    for value in VALUES:
        schema = {"type": "string", keyword: value}
        parameters = [{"name": "given", "in": "query", "schema": schema}]
        body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"inner": schema}}}}}
        answers = {
            status: {"description": "", "content": {"application/json": {"schema": schema}}}
            for status in ("200", "201")
        }
        operation = {"parameters": parameters, "requestBody": body, "responses": answers}
        catalog = build_catalog(
            read_document({"openapi": "3.1.0", "info": {}, "paths": {"/a": {"post": operation, "get": operation}}})
        )

        report = lint(catalog, "shop")

        assert len(report.costs) + len(catalog.skipped) == 2


async def test_the_demo_application_has_no_errors(tmp_path: Path) -> None:
    """The remaining warnings are about size: most of its tools return a whole order."""
    app = create_app(RetailSettings(database_url=f"sqlite:///{tmp_path / 'orders.db'}"))
    async with app.router.lifespan_context(app):
        report = lint(toolway_of(app).catalog, "order-desk")

    assert {finding.rule.id for finding in report.findings if finding.rule.level != "info"} == {"S5"}
    assert report.levels["error"] == 0
    assert [entry.finding.rule.id for entry in report.suppressed] == ["A4"]


async def test_only_some_rules_are_applied_and_only_some_tools_reported() -> None:
    catalog = Toolway(shop()).read_catalog()

    report = lint(catalog, "shop", only={"D4", "R2"}, tools={"stock"})

    assert [(entry.rule.id, entry.location.tool) for entry in report.findings] == [("D4", "stock"), ("R2", "stock")]
    assert [cost.location.tool for cost in report.costs] == ["stock"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": {"d4"}}, "only names an unknown rule: 'd4'"),
        ({"tools": {"stok"}}, "tools names an unknown tool: 'stok'; did you mean 'stock'?"),
    ],
)
async def test_a_rule_or_tool_that_does_not_exist_is_refused(options: dict[str, set[str]], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        check(shop(), **options)


def test_check_does_not_start_the_application() -> None:
    @asynccontextmanager
    async def never(_: FastAPI) -> AsyncGenerator[None]:
        raise AssertionError("the application was started")
        yield

    app = FastAPI(title="Shop", lifespan=never)
    app.get("/stock", operation_id="stock")(lambda product: None)
    app.get("/hidden", operation_id="hidden")(lambda product: None)
    Toolway(app, exclude={"paths": ["/hidden"]}).mount()

    report = check(app)

    assert report.server == "shop"
    assert {finding.rule.id for finding in report.errors} == {"D1"}
    assert {cost.location.tool for cost in report.costs} == {"stock"}
    assert {cost.location.tool for cost in check(Toolway(app)).costs} == {"stock", "hidden"}
