"""The endpoints of the order desk; each becomes a tool of the same name."""

from __future__ import annotations

from fastapi import APIRouter

from tools.retail.routes import catalogue, orders, service, users

__all__ = ["router"]

router = APIRouter(prefix="/retail", tags=["retail"])
for part in (users.router, orders.router, catalogue.router, service.router):
    router.include_router(part)
