"""The endpoints of the order desk; each becomes a tool named after its operation id."""

from __future__ import annotations

from fastapi import APIRouter

from tools.retail.routes import catalogue, office, orders, service, suggestions, users

__all__ = ["router"]

router = APIRouter(prefix="/retail", tags=["retail"])
for part in (users.router, orders.router, catalogue.router, service.router, office.router, suggestions.router):
    router.include_router(part)
