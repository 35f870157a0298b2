"""Who calls, over which transport."""

from __future__ import annotations

from dataclasses import replace

from starlette.datastructures import QueryParams
from starlette.requests import Request

from toolway.calls import CallContext
from toolway.protocol.server import Context
from toolway.settings import Settings

__all__ = ["call_context"]


def call_context(context: Context, settings: Settings) -> CallContext:
    """Tell who calls: over HTTP the request says it, over stdio the settings do."""
    report = (
        context.session.report_progress if context.meta and context.meta.get("progress_token") is not None else None
    )
    request = context.request
    if not isinstance(request, Request):
        return replace(CallContext.local(settings), report=report)
    scope = request.scope
    return CallContext(
        headers=tuple(scope["headers"]),
        query=tuple(QueryParams(scope.get("query_string", b"")).multi_items()),
        client=scope.get("client"),
        scheme=scope.get("scheme"),
        root_path=scope.get("root_path", ""),
        report=report,
    )
