"""The main application with Sentry, which patches FastAPI and Starlette for the whole process."""

from __future__ import annotations

import sentry_sdk
from fastapi import FastAPI
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from tests.fidelity.apps import make_app
from toolway import Settings, Toolway

__all__ = ["make"]


class _Discarding(Transport):
    """Sends nothing."""

    def capture_envelope(self, envelope: Envelope) -> None:
        pass


def make() -> FastAPI:
    """Set up Sentry, and return the application with its tools at /mcp."""
    sentry_sdk.init(dsn="http://key@127.0.0.1/1", transport=_Discarding, traces_sample_rate=1.0)
    app = make_app()
    Toolway(
        app,
        settings=Settings(
            _env_file=None, stream_seconds=1, result_tokens=0, output_schemas=True, catalog="list", schemas="full"
        ),
    ).mount()
    return app
