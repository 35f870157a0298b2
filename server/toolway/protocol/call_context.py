"""Who calls, over which transport."""

from __future__ import annotations

from dataclasses import replace

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.types import Scope

from toolway.calls import CallContext, ProgressCallback, steady
from toolway.middleware import TELEMETRY_KEY
from toolway.protocol.context import Context
from toolway.protocol.handlers.elicitation import asking_of
from toolway.protocol.handlers.logging import LogLevels
from toolway.protocol.http.outer_scope import outer_scope, outer_scope_before_middleware
from toolway.settings import Settings

__all__ = ["CallContextFactory", "http_context"]


class CallContextFactory:
    """Tells of each request that goes through the SDK who calls, and what they can be told and asked meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.levels = LogLevels()

    def __call__(self, context: Context) -> CallContext:
        """Make the context of a call: over HTTP the request says who calls, over stdio the settings do."""
        report = (
            context.session.report_progress if context.meta and context.meta.get("progress_token") is not None else None
        )
        request = context.request
        caller = (
            http_context(request.scope, report)
            if isinstance(request, Request)
            else replace(CallContext.local(self._settings), report=steady(report))
        )
        return replace(caller, say=self.levels.say(context), asking=asking_of(context))


def http_context(scope: Scope, report: ProgressCallback | None) -> CallContext:
    """Tell who calls, of a request over HTTP."""
    query = scope.get("query_string", b"")
    root: str = scope.get("root_path", "")
    return CallContext(
        headers=scope["headers"],
        query=tuple(QueryParams(query).multi_items()) if query else (),
        client=scope.get("client"),
        scheme=scope.get("scheme"),
        host=_host(scope),
        root_path=root,
        root_in_path=bool(root) and scope["path"].startswith(f"{root}/"),
        site=None if TELEMETRY_KEY in scope else scope.get("app"),
        app=scope.get("app"),
        outer=outer_scope(scope),
        outer_before_middleware=outer_scope_before_middleware(scope),
        report=steady(report),
    )


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return value.strip(b" \t").decode("latin-1")
    return ""
