"""A shop whose endpoints can be read as resources."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query
from fastapi.responses import PlainTextResponse, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from toolway import ToolResult, agent_resource, agent_tool
from toolway.content import EmbeddedResource, ImageContent, ResourceContents, TextContent

PICTURE = b"\x89PNG\r\n\x1a\n\x00"
POLICY = "Thirty days, unused: Zoë, and no questions."

router = APIRouter()


class Order(BaseModel):
    """An order of a customer."""

    id: str
    items: list[str] = []


class Status(StrEnum):
    pending = "pending"
    delivered = "delivered"


@router.get("/policy", operation_id="get_policy", response_class=PlainTextResponse, summary="Return policy")
@agent_resource("shop://return-policy")
async def get_policy() -> str:
    """What can be returned, and until when."""
    return POLICY


@router.get("/logo", operation_id="show_logo", response_class=Response)
@agent_tool(hide=True)
@agent_resource("shop://logo", name="logo", title="Logo", description="The shop's sign.", mime_type="image/png")
async def show_logo() -> Response:
    return Response(PICTURE, media_type="image/png")


@router.get("/orders/latest", operation_id="latest_order")
@agent_resource("orders://latest")
async def latest_order() -> Order:
    return Order(id="latest")


@router.get(
    "/orders/{order_id}",
    operation_id="get_order",
    openapi_extra={
        "x-toolway": {"resource": {"uri": "orders://{order_id}", "name": "order"}},
    },
)
async def get_order(order_id: str) -> Order:
    """One order."""
    if order_id.startswith("#X"):
        raise HTTPException(404, f"There is no order {order_id}")
    return Order(id=order_id, items=["spoon"])


@router.get("/orders/{order_id}/items/{number}", operation_id="get_item", response_class=PlainTextResponse)
@agent_resource("orders://{order_id}/items/{number}")
async def get_item(order_id: str, number: int) -> str:
    return f"{order_id}: {number}"


@router.get("/search", operation_id="search")
@agent_resource("search://products{?text,status,limit}")
async def search(text: str = "", status: Status | None = None, limit: int = 10) -> dict[str, Any]:
    return {"text": text, "status": status, "limit": limit}


@router.get("/shelves", operation_id="look_through")
@agent_resource("shelves://all{/rooms*}{?numbers}")
async def look_through(
    rooms: Annotated[list[str], Query()], numbers: Annotated[list[int] | None, Query()] = None
) -> dict[str, Any]:
    return {"rooms": rooms, "numbers": numbers}


@router.get("/files/{path:path}", operation_id="read_file", response_class=PlainTextResponse)
@agent_resource("files://shop/{+path}")
async def read_file(path: str) -> str:
    return path


@router.get("/answers/{status}", operation_id="answer_with")
@agent_resource("answers://{status}")
async def answer_with(status: int) -> Response:
    if status == 500:
        raise RuntimeError("the secret of the house")
    if status >= 400:
        raise HTTPException(status, {"hint": "try another"})
    return Response(status_code=status, headers={"location": "https://elsewhere.example/"} if status == 303 else None)


@router.get("/typed/{kind}", operation_id="typed")
@agent_resource("typed://{kind}")
async def typed(kind: Literal["csv", "html", "latin", "broken", "bytes"]) -> Response:
    match kind:
        case "csv":
            return Response("a;b", media_type="text/csv")
        case "html":
            return Response("<b>", media_type="text/html;profile=mcp-app; charset=utf-8")
        case "latin":
            return Response("é".encode("latin-1"), media_type="text/plain; charset=iso-8859-1")
        case "broken":
            return Response("{not json", media_type="application/json")
        case "bytes":
            return Response(b"\x00\xff", media_type="application/zip")


@router.get("/written/{kind}", operation_id="written")
@agent_resource("written://{kind}")
async def written(kind: Literal["words", "picture", "embedded", "structured", "mixed"]) -> ToolResult:
    words, picture = TextContent(text="three"), ImageContent(data=PICTURE, mime_type="image/png")
    document = ResourceContents(uri="shop://manual", blob=b"%PDF", mime_type="application/pdf")
    match kind:
        case "words":
            return ToolResult(words, headers={"cache-control": "public, max-age=7"})
        case "picture":
            return ToolResult(picture)
        case "embedded":
            return ToolResult(EmbeddedResource(resource=document))
        case "structured":
            return ToolResult([words, picture], structured={"total": 3})
        case "mixed":
            return ToolResult([words, picture])


@router.get("/me", operation_id="who_am_i", dependencies=[Depends(HTTPBearer(auto_error=False))])
@agent_resource("shop://me")
async def who_am_i(authorization: Annotated[str, Header(include_in_schema=False)] = "nobody") -> str:
    return authorization


def make_shop() -> FastAPI:
    """Make the shop, without MCP."""
    app = FastAPI(title="Shop", version="1.0.0")
    app.include_router(router)
    return app
