"""The arguments and attributes of `FastApiMCP`."""

from __future__ import annotations

import warnings

import httpx2
import pytest
from mcp import Client

from tests import web
from tests.compat.library import ALL, make_library, tools_at
from tests.protocol.wire import Peer
from tests.servers import serving
from toolway.compat.fastapi_mcp import FastApiMCP, MigrationWarning
from toolway.errors import ConfigurationError, FilterError

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::toolway.compat.fastapi_mcp.MigrationWarning")]


async def test_the_server_has_the_given_name_and_description() -> None:
    app = make_library()
    mcp = FastApiMCP(app, name="shelf", description="Ask by number.")
    mcp.mount_http()
    with serving(app) as base:
        async with Client(base + "/mcp") as client:
            assert client.server_info.name == "shelf"
            assert client.instructions == "Ask by number."
            assert client.server_info.version == "3.1"  # and not the description
    assert (mcp.name, mcp.description, mcp.fastapi) == ("shelf", "Ask by number.", app)


async def test_title_and_description_of_the_application_are_the_defaults() -> None:
    mcp = FastApiMCP(make_library())
    assert (mcp.name, mcp.description) == ("Library", "Finds books.")


async def test_whole_operation_ids_are_the_names_of_tools() -> None:
    app = make_library()
    mcp = FastApiMCP(app)
    mcp.mount_http()
    assert set(await tools_at(app)) == ALL
    assert {tool.name for tool in mcp.tools} == set(mcp.operation_map) == ALL


async def test_the_operation_map_has_the_operation_of_each_tool() -> None:
    entry = FastApiMCP(make_library()).operation_map["get_book"]
    assert (entry["method"], entry["path"], entry["request_body"]) == ("get", "/books/{number}", {})
    assert [(parameter["name"], parameter["in"]) for parameter in entry["parameters"]] == [("number", "path")]


async def test_reading_the_tools_does_not_freeze_the_openapi_document() -> None:
    app = make_library()
    mcp = FastApiMCP(app)
    assert "hours" not in mcp.operation_map
    mcp.mount_http()
    app.get("/hours", operation_id="hours")(lambda: "9 to 5")
    with serving(app) as base:
        assert "/hours" in web.get(base + "/openapi.json").json()["paths"]
    assert "hours" in mcp.operation_map


async def test_only_the_five_methods_of_fastapi_mcp_are_tools() -> None:
    app = make_library()
    app.head("/probe", operation_id="probe")(lambda: None)
    assert "probe" not in FastApiMCP(app).operation_map


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"include_operations": ["get_book", "list_books"]}, {"get_book", "list_books"}),
        ({"exclude_operations": ["remove_book"]}, ALL - {"remove_book"}),
        ({"include_tags": ["reading"]}, {"get_book", "list_books"}),
        ({"exclude_tags": ["staff"]}, {"get_book", "list_books"}),
        ({"include_operations": ["get_book"], "include_tags": ["staff"]}, ALL - {"list_books"}),
        ({"include_operations": ["get_book", "remove_book"], "exclude_tags": ["staff"]}, {"get_book"}),
        ({"exclude_operations": ["get_book"], "include_tags": ["reading"]}, {"list_books"}),
        ({"exclude_operations": ["get_book"], "exclude_tags": ["staff"]}, {"list_books"}),
    ],
)
async def test_include_filters_add_up_and_exclude_filters_narrow(
    filters: dict[str, list[str]], expected: set[str]
) -> None:
    app = make_library()
    FastApiMCP(app, **filters).mount_http()
    assert set(await tools_at(app)) == expected


@pytest.mark.parametrize("what", ["operations", "tags"])
async def test_including_and_excluding_the_same_kind_is_rejected(what: str) -> None:
    filters = {f"include_{what}": ["a"], f"exclude_{what}": ["b"]}
    with pytest.raises(ValueError, match=f"include_{what} or exclude_{what}, got both"):
        FastApiMCP(make_library(), **filters)


@pytest.mark.filterwarnings("default::toolway.compat.fastapi_mcp.MigrationWarning")
async def test_combined_filters_issue_a_warning() -> None:
    with pytest.warns(MigrationWarning, match="include_operations and exclude_tags narrow together") as caught:
        FastApiMCP(make_library(), include_operations=["get_book"], exclude_tags=["staff"])
    assert caught[0].filename == __file__


async def test_a_filter_that_matches_nothing_fails_startup() -> None:
    app = make_library()
    FastApiMCP(app, exclude_tags=["stafff"]).mount_http()
    with pytest.raises(FilterError, match="did you mean 'staff'"):
        async with app.router.lifespan_context(app):
            pytest.fail("it started")


async def test_filters_that_leave_no_operation_fail_startup() -> None:
    app = make_library()
    FastApiMCP(app, include_operations=["get_book"], exclude_tags=["reading"]).mount_http()
    problem = r"include_operations=\['get_book'\] and exclude_tags=\['reading'\] leave no operation"
    with pytest.raises(FilterError, match=problem):
        async with app.router.lifespan_context(app):
            pytest.fail("it started")


async def test_the_server_answers_before_startup_and_with_later_routes_after_setup_server() -> None:
    app = make_library()
    mcp = FastApiMCP(app)
    async with Client(mcp.server) as client:
        assert (await client.call_tool("get_book", {"number": 1})).structured_content == {"number": 1, "title": "Dune"}
    app.get("/hours", operation_id="hours")(lambda: "9 to 5")
    mcp.setup_server()
    assert mcp.server is mcp.server
    async with Client(mcp.server) as client:
        assert (await client.call_tool("hours", {})).structured_content == "9 to 5"


async def test_the_server_is_that_of_the_running_application() -> None:
    app = make_library()
    mcp = FastApiMCP(app)
    mcp.mount_http()
    async with app.router.lifespan_context(app), Client(mcp.server) as client:
        assert len((await client.list_tools()).tools) == len(ALL)


async def test_calls_are_sent_with_the_given_client() -> None:
    behind = make_library()
    seen: list[str] = []

    @behind.middleware("http")
    async def note(request, call_next):
        seen.append(request.headers["host"])
        return await call_next(request)

    app = make_library()
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(behind), base_url="http://behind.example")
    FastApiMCP(app, http_client=client).mount_http()
    with serving(app) as base:
        async with Client(base + "/mcp") as connected:
            result = await connected.call_tool("get_book", {"number": 1})
    assert result.structured_content == {"number": 1, "title": "Dune"}
    assert seen == ["behind.example"]


async def test_a_client_of_another_library_is_rejected_with_the_expected_types() -> None:
    class AsyncClient:
        """A client of an unknown library."""

    problem = r"expected http_client to be an httpx2\.AsyncClient or an httpx\.AsyncClient, got .*AsyncClient"
    with pytest.raises(ConfigurationError, match=problem):
        FastApiMCP(make_library(), http_client=AsyncClient())  # type: ignore[arg-type]


@pytest.mark.filterwarnings("default::toolway.compat.fastapi_mcp.MigrationWarning")
async def test_a_client_without_a_base_url_issues_a_warning_and_calls_run_in_process() -> None:
    app = make_library()
    with pytest.warns(MigrationWarning, match="no base_url"):
        mcp = FastApiMCP(app, http_client=httpx2.AsyncClient(timeout=20))
    with pytest.warns(MigrationWarning, match="only this machine"):
        mcp.mount_http()
    with serving(app) as base:
        async with Client(base + "/mcp") as client:
            assert not (await client.call_tool("get_book", {"number": 1})).is_error


async def test_each_warning_is_issued_once() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        FastApiMCP(make_library()).mount_http()
        FastApiMCP(make_library()).mount_http(mount_path="/again")
    assert len([warning for warning in caught if "only this machine" in str(warning.message)]) == 1


async def test_initialize_opens_a_session_as_in_fastapi_mcp() -> None:
    app = make_library()
    FastApiMCP(app).mount_http()
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    with serving(app) as base:
        response = Peer(base + "/mcp", "2025-11-25").send("initialize", hello)
        session = {"mcp-session-id": response.headers["mcp-session-id"]}
        assert response.json()["result"]["serverInfo"]["name"] == "Library"
        result = Peer(base + "/mcp", "2025-11-25").call("get_book", {"number": 1}, headers=session)
    assert result["structuredContent"] == {"number": 1, "title": "Dune"}


@pytest.mark.parametrize(("variable", "value"), [("TOOLWAY_STATEFUL", "false"), ("WEB_CONCURRENCY", "2")])
async def test_the_setting_and_several_processes_turn_sessions_off(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    app = make_library()
    FastApiMCP(app).mount_http()
    with serving(app) as base:
        assert Peer(base + "/mcp", "2025-11-25").call("get_book", {"number": 1})["structuredContent"]["number"] == 1
