"""Documents that are not as FastAPI writes them by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, computed_field

from tests.fidelity.application import Application
from tests.fidelity.case import Chapter
from tests.fidelity.chapters import bodies, models

__all__ = ["applications"]


def applications() -> dict[str, Application]:
    """Return the applications by name."""
    return {
        "own_openapi": Application(chapters=[rewritten], steps=[_own_openapi], transports=["HTTP", "stdio"]),
        "one_schema": Application(
            chapters=[single, models.chapter, bodies.chapter], options={"separate_input_output_schemas": False}
        ),
        "own_ids": Application(chapters=[named], options={"generate_unique_id_function": _own_id}),
        "no_document": Application(chapters=[single], options={"openapi_url": None, "docs_url": None}),
    }


rewritten = Chapter("A document of the application's own")


@rewritten.router.get("/rewritten/{number}")
async def described_elsewhere(number: int, size: int = 1) -> dict[str, int]:
    """What the endpoint says of itself."""
    return {"number": number, "size": size}


@rewritten.router.get("/taken-out")
async def taken_out() -> str:
    return "here all the same"


@rewritten.router.get("/renamed", operation_id="old_name")
async def renamed() -> str:
    return "renamed"


@rewritten.router.get("/without-details/{number}")
async def without_details(number: int, other: int = 0) -> list[int]:
    return [number, other]


rewritten.case(
    "a parameter described by the document", "described_elsewhere", {"number": 1, "size": 3}, "GET /rewritten/1",
    params={"size": 3}, advertised={"size": {"description": "How big", "maximum": 10}},
)  # fmt: skip
rewritten.absent("an operation that the document leaves out", "taken_out")
rewritten.case("an operation under another id", "new_name", {}, "GET /renamed")
rewritten.absent("the id it had", "old_name")
rewritten.case(
    "a parameter that the document keeps to itself", "without_details", {"number": 4}, "GET /without-details/4",
    params={}, withheld=["other"],
)  # fmt: skip
rewritten.case("an operation that nobody serves", "never_written", {}, "GET /never-written")


def _own_openapi(app: FastAPI) -> None:
    write: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        document = write()
        paths = document["paths"]
        paths.pop("/taken-out", None)
        size = next(p for p in paths["/rewritten/{number}"]["get"]["parameters"] if p["name"] == "size")
        size["description"] = "How big"
        size["schema"]["maximum"] = 10
        paths["/renamed"]["get"]["operationId"] = "new_name"
        details = paths["/without-details/{number}"]["get"]
        details["parameters"] = [p for p in details["parameters"] if p["in"] == "path"]
        paths["/never-written"] = {"get": {"operationId": "never_written", "responses": {"200": {"description": "-"}}}}
        document["x-logo"] = {"url": "https://example.com/logo.png"}
        return document

    app.openapi = openapi  # as FastAPI's own documentation does it


single = Chapter("One schema for requests and answers")


class Product(BaseModel):
    name: str
    price: float = 1.5
    tags: list[str] = []
    maker: str | None = None

    @computed_field
    @property
    def label(self) -> str:
        return f"{self.name} at {self.price}"


@single.router.post("/products")
async def create_product(product: Product) -> Product:
    return product


@single.router.put("/products")
async def put_products(products: list[Product]) -> list[Product]:
    return products


single.case("defaults may stay away", "create_product", {"name": "p"}, "POST /products")
single.case(
    "what is given is kept", "create_product", {"name": "p", "price": 2, "tags": ["a"], "maker": None}, "POST /products"
)
single.case("what is required is missed", "create_product", {"price": 2}, "POST /products")
single.case(
    "a list of them", "put_products", {"products": [{"name": "p"}, {"name": "q", "tags": ["b"]}]}, "PUT /products",
    json=[{"name": "p"}, {"name": "q", "tags": ["b"]}],
)  # fmt: skip


named = Chapter("Operation ids of the application's own")


def _own_id(route: APIRoute) -> str:
    method = min(route.methods).lower()
    return f"{route.tags[0] if route.tags else 'api'}-{method}-{route.name}" if route.name != "journal" else "journal"


@named.router.get("/named/{number}", tags=["books"])
async def find(number: int) -> list[int]:
    return [number]


@named.router.post("/named", tags=["books"])
async def make(number: int) -> list[int]:
    return [number]


@named.router.get("/other")
async def find_other() -> str:
    return "other"


named.case("by tag, method and name", "books-get-find", {"number": 1}, "GET /named/1", params={})
named.case("another method", "books-post-make", {"number": 2}, "POST /named", params={"number": 2})
named.case("without a tag", "api-get-find_other", {}, "GET /other")
