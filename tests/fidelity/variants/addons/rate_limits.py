"""slowapi: a middleware with a default limit for all routes, and decorators with a limit of their own."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address

from tests.fidelity.application import Application
from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect

_LIMITER = Limiter(key_func=get_remote_address, default_limits=["1000/minute"], headers_enabled=True)
_limits = Chapter("Rate limits")


def application() -> Application:
    """Return the application."""
    return Application(chapters=[_limits], steps=[_install])


def _install(app: FastAPI) -> None:
    app.state.limiter = _LIMITER
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)
    app.add_middleware(SlowAPIMiddleware)


@_limits.reset
def _forget_requests() -> None:
    _LIMITER.reset()


@_limits.router.get("/limits/default")
async def limited_by_default() -> dict[str, bool]:
    effect("ran")
    return {"ran": True}


@_limits.router.get("/limits/own")
@_LIMITER.limit("2/minute")
async def limited(request: Request, response: Response, word: str = "") -> dict[str, str]:
    effect("ran")
    return {"word": word}


@_limits.router.get("/limits/exceeded")
@_LIMITER.limit("1/minute", cost=2)
async def exceeded(request: Request, response: Response) -> dict[str, bool]:
    effect("ran")
    return {"ran": True}


@_limits.router.get("/limits/exempt")
@_LIMITER.exempt
async def exempt() -> dict[str, bool]:
    return {"ran": True}


_limits.case("below the default limit", "limited_by_default", {}, "GET /limits/default")
_limits.case("below a limit of its own", "limited", {"word": "a"}, "GET /limits/own")
_limits.case("above a limit", "exceeded", {}, "GET /limits/exceeded")
_limits.case("exempt from all limits", "exempt", {}, "GET /limits/exempt")
