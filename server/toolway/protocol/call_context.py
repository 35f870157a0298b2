"""The call context of a request that the SDK handles."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request

from toolway.calls import CallContext, steady
from toolway.protocol.handlers.elicitation import question_channel
from toolway.protocol.handlers.logging import LogLevels
from toolway.protocol.http.request_scope import http_context
from toolway.protocol.requests import RequestContext
from toolway.settings import Settings

__all__ = ["CallContextFactory"]


class CallContextFactory:
    """Creates call contexts: with the caller's credentials, and channels for progress, log messages and questions."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.log_levels = LogLevels()

    def create(self, context: RequestContext) -> CallContext:
        """Return the call context of a request; its credentials are in its HTTP request, or over stdio in settings."""
        has_progress_token = context.meta is not None and context.meta.get("progress_token") is not None
        report = context.session.report_progress if has_progress_token else None
        request = context.request
        call = (
            http_context(request.scope, report)
            if isinstance(request, Request)
            else replace(CallContext.local(self._settings), report=steady(report))
        )
        return replace(call, say=self.log_levels.callback(context), asking=question_channel(context))
