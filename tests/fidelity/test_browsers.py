"""What browsers ask before they send: an application's CORS settings hold for /mcp as for its other paths."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.fidelity.test_fidelity import mounted
from tests.fidelity.variants import VARIANTS
from tests.fidelity.variants.layers import ORIGIN
from tests.servers import Serve

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate Operation ID:UserWarning")  # one route, several methods

PATHS = {"/mcp": "POST", "/sessions/visits": "GET"}
WANTED = {"access-control-request-headers": "content-type,mcp-protocol-version,mcp-method,mcp-name"}


@pytest.fixture
def web(serve: Serve) -> Iterator[httpx2.Client]:
    layered = VARIANTS["layered"]
    url = serve(mounted("layered", "HTTP"), **layered.server)
    with httpx2.Client(base_url=url + layered.base) as client:
        yield client


def preflight(web: httpx2.Client, path: str, origin: str) -> httpx2.Response:
    headers = {"origin": origin, "access-control-request-method": PATHS[path], **WANTED}
    return web.options(path, headers=headers)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_that_may_call_is_told_so_beforehand(web: httpx2.Client, path: str) -> None:
    answer = preflight(web, path, ORIGIN)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-headers"] == WANTED["access-control-request-headers"]
    assert PATHS[path] in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("path", PATHS)
def test_another_page_is_refused_beforehand(web: httpx2.Client, path: str) -> None:
    answer = preflight(web, path, "https://elsewhere.example.com")
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


def test_an_answer_says_that_the_page_may_read_it(web: httpx2.Client) -> None:
    answer = web.get("/sessions/visits", headers={"origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_a_refusal_of_mcp_may_be_read_too(web: httpx2.Client) -> None:
    answer = web.post("/mcp", json={}, headers={"origin": ORIGIN})
    assert answer.status_code >= 400
    assert answer.headers["access-control-allow-origin"] == ORIGIN
