"""Swagger UI and ReDoc from files on this machine, so that the documentation pages need no network.

FastAPI's own pages load their scripts from a public host. The same files come with the fastapi-offline distribution;
only its files are used here, its code is never imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.routing import BaseRoute, Route

__all__ = ["serve_docs_offline"]

_DISTRIBUTION = "fastapi-offline"
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}
_FAVICON = "favicon.png"
_SWAGGER_JS = "swagger-ui-bundle.js"
_SWAGGER_CSS = "swagger-ui.css"
_REDOC_JS = "redoc.standalone.js"
# The only thing that one of the scripts fetches by itself from elsewhere: a logo, which an empty image replaces.
_REDOC_LOGO = (b"https://cdn.redoc.ly/redoc/logo-mini.svg", b"data:,")

# A page, rendered for the application, the path it is mounted under, and the address of each of its files.
_Render = Callable[[FastAPI, str, Callable[[str], str]], HTMLResponse]


def serve_docs_offline(app: FastAPI) -> None:
    """Let the application's documentation pages load their scripts from the application itself.

    The pages keep their addresses and the application's settings. Pages that were turned off stay off, and pages that
    the application made for itself stay as they are. Calling this again changes nothing.
    """
    _replace_stock_page(app, app.docs_url, _swagger_page, (_SWAGGER_JS, _SWAGGER_CSS, _FAVICON))
    _replace_stock_page(app, app.redoc_url, _redoc_page, (_REDOC_JS, _FAVICON))


def _replace_stock_page(app: FastAPI, url: str | None, render: _Render, files: Sequence[str]) -> None:
    routes = app.router.routes
    for index, route in enumerate(routes):
        if not isinstance(route, Route) or route.path != url:
            continue
        if getattr(route.endpoint, "__module__", None) == "fastapi.applications":
            # Replace the page at its index, because a mount that matches every path may follow it.
            routes[index : index + 1] = [_page(app, route, render), *(_file(route.path, name) for name in files)]
            return


def _page(app: FastAPI, stock: Route, render: _Render) -> BaseRoute:
    async def page(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "").rstrip("/")
        return render(app, root, lambda name: f"{root}{_file_path(stock.path, name)}?v={_version()}")

    return Route(stock.path, page, name=stock.name, include_in_schema=False)


def _swagger_page(app: FastAPI, root: str, address: Callable[[str], str]) -> HTMLResponse:
    redirect = app.swagger_ui_oauth2_redirect_url
    return get_swagger_ui_html(
        openapi_url=f"{root}{app.openapi_url}",
        title=f"{app.title} - Swagger UI",
        swagger_js_url=address(_SWAGGER_JS),
        swagger_css_url=address(_SWAGGER_CSS),
        swagger_favicon_url=address(_FAVICON),
        oauth2_redirect_url=f"{root}{redirect}" if redirect else None,
        init_oauth=app.swagger_ui_init_oauth,
        swagger_ui_parameters=app.swagger_ui_parameters,
    )


def _redoc_page(app: FastAPI, root: str, address: Callable[[str], str]) -> HTMLResponse:
    return get_redoc_html(
        openapi_url=f"{root}{app.openapi_url}",
        title=f"{app.title} - ReDoc",
        redoc_js_url=address(_REDOC_JS),
        redoc_favicon_url=address(_FAVICON),
        with_google_fonts=False,
    )


def _file_path(page: str, name: str) -> str:
    return f"{page.rstrip('/')}/assets/{name}"


def _file(page: str, name: str) -> BaseRoute:
    async def file(_: Request) -> Response:
        # The address holds the version of the files, so a browser may keep them for good.
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(_content(name), headers=headers, media_type=_MEDIA_TYPES[Path(name).suffix])

    return Route(_file_path(page, name), file, include_in_schema=False)


@cache
def _version() -> str:
    return distribution(_DISTRIBUTION).version


@cache
def _content(name: str) -> bytes:
    file = distribution(_DISTRIBUTION).locate_file(f"fastapi_offline/static/{name}")
    content = Path(str(file)).read_bytes()
    return content.replace(*_REDOC_LOGO) if name == _REDOC_JS else content
