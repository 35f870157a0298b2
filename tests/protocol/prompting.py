"""A shop whose endpoints write prompts and suggest values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Header, HTTPException, Query
from fastapi.responses import PlainTextResponse

from toolway import Message, agent_prompt, agent_resource, agent_tool
from toolway.content import EmbeddedResource, ImageContent, ResourceContents

router = APIRouter()
ORDERS = [f"#W{number}" for number in range(1000, 1250)]


@router.get("/suggest/orders", operation_id="suggest_orders")
@agent_tool(hide=True)
async def suggest_orders(text: str, customer: str | None = None) -> list[str]:
    if text == "?":
        raise HTTPException(403, "Ask for something else")
    return [order for order in ORDERS if text in order and customer in (None, "Zoë")]


@router.get("/suggest/customers", operation_id="suggest_customers")
async def suggest_customers(customer: Annotated[str, Query(min_length=2)]) -> Any:
    return ["Zoë"] if customer == "Zo" else {"no": "list"}


@router.get("/brief", operation_id="brief_agent", summary="Brief a support agent")
@agent_prompt(name="brief", complete={"order_id": suggest_orders, "customer": "suggest_customers"})
async def brief(
    customer: Annotated[str, Query(description="Who calls.")],
    mood: Literal["calm", "angry", "cautious"] = "calm",
    urgent: bool = False,
    calls: int = 1,
    order_id: str | None = None,
) -> list[Message]:
    """Tell an agent whom they talk to."""
    if customer == "nobody":
        raise HTTPException(404, "There is no such customer")
    if customer == "breaks":
        raise RuntimeError("the secret of the house")
    words = f"{customer} is {mood}, calls {calls}, urgent {urgent}, order {order_id}"
    return [Message(content=words), Message(role="assistant", content="How can I help?")]


@router.get("/plain", operation_id="plain", response_class=PlainTextResponse)
@agent_prompt()
async def plain() -> str:
    return "Say hello."


@router.get("/json", operation_id="json_text")
@agent_prompt()
@agent_tool(name="also_a_tool")
async def json_text() -> str:
    return "Say hello."


@router.post("/posted", operation_id="posted", openapi_extra={"x-toolway": {"prompt": {"title": "Posted"}}})
async def posted(numbers: list[int], note: str) -> Message:
    return Message(content=f"{sum(numbers)} {note}")


@router.get("/shown", operation_id="shown")
@agent_prompt()
async def shown(uri: str) -> list[Message]:
    page = ResourceContents(uri=uri, mime_type="text/plain", text="A page.")
    return [
        Message(content=EmbeddedResource(resource=page)),
        Message(content=ImageContent(data=b"\x89PNG", mime_type="image/png")),
    ]


@router.get("/wrong", operation_id="wrong")
@agent_prompt()
async def wrong() -> list[int]:
    return [1]


@router.get("/caller", operation_id="caller")
@agent_prompt()
async def caller(authorization: Annotated[str, Header(include_in_schema=False)] = "nobody") -> str:
    return authorization


@router.get("/orders/{order_id}/{part}", operation_id="get_part")
@agent_resource("orders://{order_id}/{part}{?shape}", complete={"order_id": suggest_orders})
async def get_part(order_id: str, part: Literal["items", "payment"], shape: str = "short") -> str:
    return order_id


def make_office() -> FastAPI:
    """Make the shop, without MCP."""
    app = FastAPI(title="Office", version="1.0.0")
    app.include_router(router)
    return app
