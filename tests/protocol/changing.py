"""A shop whose orders and offers change while clients listen."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request

from toolway import Changes, Settings, Toolway, agent_prompt, agent_resource
from toolway.mounts import toolway_of

router = APIRouter()


@router.get("/orders/{order_id}", operation_id="get_order")
@agent_resource("orders://{order_id}")
async def get_order(order_id: str) -> str:
    return order_id


@router.post("/orders/{order_id}/cancel", operation_id="cancel")
async def cancel(order_id: str, changed: Changes) -> str:
    changed(f"orders://{order_id}")
    return "cancelled"


@router.post("/orders/{order_id}/return", operation_id="send_back")
def send_back(order_id: str, changed: Changes) -> str:
    changed(f"orders://{order_id}")  # in a thread
    return "returned"


@router.post("/reorder", operation_id="reorder")
async def reorder(changed: Changes) -> str:
    changed(tools=True, prompts=True, resources=True)
    return "reordered"


@router.post("/grow", operation_id="grow")
async def grow(request: Request) -> str:
    number = len(request.app.routes)

    async def added() -> str:
        return "x"

    request.app.add_api_route(f"/new/{number}", added, operation_id=f"new_{number}")
    toolway_of(request.app).refresh()
    return "grown"


@router.get("/greet", operation_id="greet")
@agent_prompt()
async def greet() -> str:
    return "Say hello."


def make_changing() -> FastAPI:
    """Make the shop, without MCP."""
    app = FastAPI(title="Changing", version="1.0.0")
    app.include_router(router)
    return app


def make_changing_server(**options: Any) -> FastAPI:
    """Make the shop, with MCP."""
    return Toolway(make_changing(), settings=Settings(**options)).mount().app
