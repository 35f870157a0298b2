"""fastapi-pagination: pages of a list, with their size and number as query parameters."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi_pagination import LimitOffsetPage, Page, add_pagination, paginate
from fastapi_pagination.utils import disable_installed_extensions_check

from tests.fidelity.application import Application
from tests.fidelity.case import Chapter
from tests.fidelity.shared import Note

disable_installed_extensions_check()  # it warns where SQLAlchemy is installed, and these pages are of a list

_NOTES = [Note(title=f"note {number}") for number in range(30)]
_pages = Chapter("Pages")


def application() -> Application:
    """Return the application."""
    return Application(chapters=[_pages], steps=[_install])


def _install(app: FastAPI) -> None:
    add_pagination(app)


@_pages.router.get("/pages/notes")
async def pages_of_notes() -> Page[Note]:
    return paginate(_NOTES)


@_pages.router.get("/pages/notes/from")
async def notes_from() -> LimitOffsetPage[Note]:
    return paginate(_NOTES)


_pages.case("the first page", "pages_of_notes", {}, "GET /pages/notes")
_pages.case("a page of some size", "pages_of_notes", {"page": 2, "size": 7}, "GET /pages/notes")
_pages.case("a page without a size", "pages_of_notes", {"size": 0}, "GET /pages/notes")
_pages.case("a limit and an offset", "notes_from", {"limit": 3, "offset": 28}, "GET /pages/notes/from")
