"""fastapi-versioning: the routes of an application, in a mounted application for each version."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi_versioning import VersionedFastAPI, version

from tests.fidelity.application import Application
from tests.fidelity.case import Chapter

_versions = Chapter("Versions")


def application() -> Application:
    """Return the application."""
    return Application(chapters=[_versions], within=_versioned, base="/v2")


def _versioned(app: FastAPI) -> FastAPI:
    # The package reads the endpoint of each route, which an included router does not have; the chapter's is empty.
    app.router.routes[:] = [route for route in app.router.routes if hasattr(route, "endpoint")]
    return VersionedFastAPI(app, version_format="{major}", prefix_format="/v{major}")


@version(1)
async def greeting(name: str) -> dict[str, str]:
    return {"text": f"Hello, {name}"}


@version(2)
async def welcome(name: str, title: str = "") -> dict[str, str]:
    return {"text": f"Welcome, {title} {name}"}


@_versions.install
def _add_routes(app: FastAPI) -> None:
    app.get("/versions/greeting")(greeting)
    app.get("/versions/welcome")(welcome)


_versions.case(
    "kept in the second version", "greeting_get_v2_versions_greeting", {"name": "Ada"}, "GET /versions/greeting"
)
_versions.case("new in the second version", "welcome", {"name": "Ada", "title": "Dr."}, "GET /versions/welcome")
_versions.case("without a name", "welcome", {}, "GET /versions/welcome")
