"""The documentation pages work offline and keep the settings of the application."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx2
import pytest
from fastapi import FastAPI, Header, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.testclient import TestClient
from pydantic import BaseModel
from selenium.webdriver import Chrome

from tests.console.browser import Answer, chromium, hosts, open_swagger, shown_operations, try_out, wait_for
from tests.servers import Serve
from toolway.console.offline_docs import serve_docs_offline


class Note(BaseModel):
    text: str
    stars: int = 0


def notes_app(**options: object) -> FastAPI:
    app = FastAPI(title="Notes", **options)

    @app.get("/notes/{number}")
    def read_note(number: int, upper: bool = False, x_reader: Annotated[str, Header()] = "nobody") -> dict[str, object]:
        return {"number": number, "upper": upper, "reader": x_reader}

    @app.post("/notes")
    def write_note(note: Note) -> Note:
        return note

    @app.delete("/notes/{number}")
    def delete_note(number: int) -> Response:
        """Delete a note."""
        return Response(status_code=204)

    serve_docs_offline(app)
    return app


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    with chromium(tmp_path / "profile") as page:
        yield page


def addresses(html: str) -> list[str]:
    """Return the URLs that a page loads: the value of each src and href."""
    return re.findall(r"""(?:src|href)=["']([^"']+)["']""", html)


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_a_page_names_no_other_host_and_all_its_files_are_served(page: str) -> None:
    client = TestClient(notes_app())
    html = client.get(page).text
    assert "//" not in re.sub("<!--.*?-->|// .*", "", html, flags=re.DOTALL)
    assert addresses(html)
    for address in addresses(html):
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.content
        assert "immutable" in answer.headers["cache-control"]


def test_the_files_have_the_type_that_a_browser_asks_for() -> None:
    client = TestClient(notes_app())
    types = {
        name: client.get(f"/docs/assets/{name}").headers["content-type"] for name in ("swagger-ui.css", "favicon.png")
    }
    assert types == {"swagger-ui.css": "text/css; charset=utf-8", "favicon.png": "image/png"}
    assert client.get("/redoc/assets/redoc.standalone.js").headers["content-type"].startswith("text/javascript")


def test_the_page_keeps_the_settings_of_the_application() -> None:
    app = notes_app(
        swagger_ui_parameters={"docExpansion": "none"},
        swagger_ui_init_oauth={"clientId": "notes-client"},
        openapi_url="/schema.json",
        docs_url="/try",
    )
    html = TestClient(app).get("/try").text
    for setting in (
        "Notes - Swagger UI",
        '"docExpansion": "none"',
        "notes-client",
        "'/schema.json'",
        "/docs/oauth2-redirect",
    ):
        assert setting in html


def test_behind_a_path_prefix_the_page_loads_everything_below_the_prefix() -> None:
    html = TestClient(notes_app(), root_path="/shop").get("/docs").text
    assert all(address.startswith("/shop/docs/assets/") for address in addresses(html))
    assert "url: '/shop/openapi.json'" in html


def test_an_app_without_docs_gets_no_pages() -> None:
    client = TestClient(notes_app(docs_url=None, redoc_url=None))
    assert client.get("/docs").status_code == client.get("/docs/assets/swagger-ui.css").status_code == 404


def test_an_app_without_a_public_document_gets_no_page() -> None:
    assert TestClient(notes_app(openapi_url=None)).get("/docs").status_code == 404


def test_a_page_that_the_application_defines_is_unchanged() -> None:
    app = FastAPI(docs_url=None)
    app.docs_url = "/docs"

    @app.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    def own_page() -> str:
        return "my own page"

    serve_docs_offline(app)
    assert TestClient(app).get("/docs").text == "my own page"


def test_a_mount_at_the_root_does_not_shadow_the_files(tmp_path: Path) -> None:
    app = FastAPI()
    app.mount("", StaticFiles(directory=tmp_path))
    serve_docs_offline(app)
    assert TestClient(app).get("/docs/assets/swagger-ui-bundle.js").status_code == 200


def test_docs_at_the_root_do_not_shadow_the_applications_assets() -> None:
    app = FastAPI(docs_url="/")

    @app.get("/assets/{name}")
    def own_asset(name: str) -> str:
        return name

    serve_docs_offline(app)
    client = TestClient(app)
    assert client.get("/assets/app.js").json() == "app.js"
    assert client.get("/assets/swagger-ui.css").headers["content-type"].startswith("text/css")


def test_serving_offline_twice_changes_nothing_more() -> None:
    app = notes_app()
    routes = list(app.router.routes)
    serve_docs_offline(app)
    assert app.router.routes == routes


def test_the_document_lists_the_operations_of_the_application_only() -> None:
    assert set(notes_app().openapi()["paths"]) == {"/notes", "/notes/{number}"}


def test_the_distribution_with_the_files_is_not_imported() -> None:
    script = """
import sys
from fastapi import FastAPI
from fastapi.testclient import TestClient
from toolway.console.offline_docs import serve_docs_offline

app = FastAPI()
serve_docs_offline(app)
client = TestClient(app)
print(client.get("/docs/assets/favicon.png").status_code, "fastapi_offline" in sys.modules)
"""
    assert subprocess.check_output([sys.executable, "-c", script], text=True).split() == ["200", "False"]


def test_swagger_ui_shows_every_operation_and_loads_from_its_own_host_only(serve: Serve, browser: Chrome) -> None:
    url = serve(notes_app())
    open_swagger(browser, f"{url}/docs")
    assert shown_operations(browser) == [
        ("GET", "/notes/{number}"),
        ("DELETE", "/notes/{number}"),
        ("POST", "/notes"),
    ]
    assert hosts(browser) == {httpx2.URL(url).netloc.decode()}


def test_try_it_out_sends_parameters_and_bodies_to_the_endpoint(serve: Serve, browser: Chrome) -> None:
    open_swagger(browser, f"{serve(notes_app())}/docs")
    read = try_out(browser, "GET", "/notes/{number}", {"number": "7", "upper": "true", "x-reader": "ann"})
    assert (read.status, '"number": 7' in read.body, '"upper": true' in read.body) == (200, True, True)
    assert '"reader": "ann"' in read.body
    written = try_out(browser, "POST", "/notes", body='{"text": "hello", "stars": 5}')
    assert (written.status, '"stars": 5' in written.body) == (200, True)
    assert try_out(browser, "DELETE", "/notes/{number}", {"number": "7"}) == Answer(204, "")


def test_redoc_shows_the_operations_and_loads_from_its_own_host_only(serve: Serve, browser: Chrome) -> None:
    url = serve(notes_app())
    browser.get(f"{url}/redoc")
    wait_for(browser, "[data-section-id*='read_note']")
    assert hosts(browser) == {httpx2.URL(url).netloc.decode()}
