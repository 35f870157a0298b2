"""Applications with the packages that people add to FastAPI: rate limits, users, versions, pages, caches, telemetry."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from tests.fidelity.application import Application

__all__ = ["applications"]

_PACKAGES = {
    "caches": "fastapi_cache",
    "pages": "fastapi_pagination",
    "rate_limits": "slowapi",
    "spans": "opentelemetry.sdk",
    "users": "fastapi_users",
    "versions": "fastapi_versioning",
}
"""The package that each module needs; an application is left out where its package is not installed."""


def applications() -> dict[str, Application]:
    """Return the applications by name."""
    return {
        name: import_module(f"{__name__}.{name}").application()
        for name, package in _PACKAGES.items()
        if find_spec(package) is not None  # that of opentelemetry.sdk is there, as the engine needs its API
    }
