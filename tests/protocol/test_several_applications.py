"""Several applications, one server: one list, each tool called in its own application."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import RedirectResponse
from fastapi.security import APIKeyHeader, APIKeyQuery, HTTPBearer
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests import web
from tests.protocol.wire import ERAS, MODERN, Peer
from tests.servers import Serve
from tests.support import ROOT
from toolway import Remote, Settings, Toolway
from toolway.app import engine_of
from toolway.catalog import Catalog
from toolway.errors import ConfigurationError, DocumentError, FilterError

pytestmark = pytest.mark.anyio

LONG = "count_" + "very_" * 11 + "much"


def make_app(title: str, log: list[str] | None = None) -> FastAPI:
    """Make an application that knows its title, needs its lifespan, and says what it saw of its caller."""
    log = [] if log is None else log

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        log.append(f"{title} starts")
        yield {"started": title}
        log.append(f"{title} ends")

    app = FastAPI(title=title, description=f"Keeps {title}.", lifespan=lifespan)

    @app.get("/who", operation_id="who")
    async def who(request: Request) -> dict[str, str]:
        return {"title": title, "started": request.state.started, "url": str(request.url)}

    @app.get("/old", operation_id="old", response_class=RedirectResponse)
    async def old() -> str:
        return "/who"

    @app.delete("/orders/{order_id}", operation_id="delete_order", tags=["orders"])
    async def delete_order(order_id: int) -> int:
        return order_id

    @app.get("/caller", operation_id="show_caller")
    async def show_caller(
        request: Request,
        _bearer: Annotated[Any, Depends(HTTPBearer(auto_error=False))],
        _key: Annotated[Any, Depends(APIKeyHeader(name="x-key", auto_error=False))],
        _token: Annotated[Any, Depends(APIKeyQuery(name="token", auto_error=False))],
    ) -> dict[str, str | None]:
        named = ("authorization", "x-key", "x-tenant", "cookie")
        return {**{name: request.headers.get(name) for name in named}, "token": request.query_params.get("token")}

    return app


def make_both() -> FastAPI:
    """Make the application that serves two others, as it would be started over stdio."""
    return Toolway({"shop": make_app("Shop"), "crm": make_app("Customers")}).mount().app


def names(peer: Peer) -> list[str]:
    return [tool["name"] for tool in peer.ask("tools/list")["tools"]]


def value(peer: Peer, name: str, arguments: dict[str, Any] | None = None, **options: Any) -> Any:
    """What a tool answers, as the data that it is."""
    result = peer.call(name, arguments, **options)
    assert not result.get("isError"), result
    return json.loads(result["content"][0]["text"])


@pytest.mark.parametrize("stateful", [False, True])
@pytest.mark.parametrize("version", ERAS)
async def test_one_list_holds_the_tools_of_all_and_each_is_called_in_its_application(
    serve: Serve, version: str, stateful: bool
) -> None:
    apps = {"shop": make_app("Shop"), "crm": make_app("Customers")}
    url = serve(Toolway(apps, settings=Settings(stateful=stateful)).mount().app)
    async with Client(f"{url}/mcp", mode="auto" if version == MODERN else "legacy") as client:
        listed = [tool.name for tool in (await client.list_tools()).tools]
        answers = [(await client.call_tool(name)).structured_content for name in ("shop_who", "crm_who", "crm_old")]

        assert client.server_info.name == "toolway"
        assert "Tools that begin with crm_ belong to Customers. Keeps Customers." in (client.instructions or "")
    operations = ("who", "old", "delete_order", "show_caller")
    assert listed == [f"{prefix}_{name}" for prefix in apps for name in operations]
    assert [answer["title"] for answer in answers] == ["Shop", "Customers", "Customers"]
    assert [answer["started"] for answer in answers] == ["Shop", "Customers", "Customers"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_several_are_served_over_stdio(mode: str) -> None:
    command = ["-m", "toolway", "stdio", f"{__name__}:{make_both.__name__}()"]
    started = StdioServerParameters(command=sys.executable, args=command, cwd=ROOT)
    async with Client(stdio_client(started), mode=mode) as client:
        assert len((await client.list_tools()).tools) == 8
        assert (await client.call_tool("crm_who")).structured_content["started"] == "Customers"
        assert (await client.call_tool("shop_delete_order", {"order_id": "x"})).is_error


def test_the_host_application_runs_every_lifespan_once(serve: Serve) -> None:
    log: list[str] = []
    host = FastAPI(title="Host")
    toolway = Toolway({"shop": make_app("Shop", log), "crm": make_app("Customers", log)})
    toolway.mount("/tools", on=host).mount("/again", on=host)
    url = serve(host, root_path="/behind")
    assert names(Peer(f"{url}/tools")) == names(Peer(f"{url}/again"))
    assert value(Peer(f"{url}/tools"), "shop_who")["url"] == f"{url}/who"
    assert log == ["Shop starts", "Customers starts"]


def test_behind_a_prefix_endpoints_see_themselves_called_under_their_own_paths(serve: Serve) -> None:
    """What stands before the server's own paths stands before none of theirs."""
    url = serve(make_both(), root_path="/behind")
    assert value(Peer(f"{url}/mcp"), "shop_who")["url"] == f"{url}/who"


async def test_each_lifespan_runs_once_and_ends_with_the_last() -> None:
    log: list[str] = []
    shop, crm = make_app("Shop", log), make_app("Customers", log)
    Toolway({"shop": shop, "crm": crm}).mount(on=shop)
    for _ in range(2):
        async with shop.router.lifespan_context(shop):
            assert log == ["Shop starts", "Customers starts"]
        assert log == ["Shop starts", "Customers starts", "Customers ends", "Shop ends"]
        log.clear()


async def test_one_of_the_served_applications_may_serve_them_all(serve: Serve) -> None:
    shop = make_app("Shop")
    Toolway({"shop": shop, "crm": make_app("Customers")}).mount(on=shop)
    url = serve(shop)
    assert web.get(f"{url}/who").json()["title"] == "Shop"
    assert value(Peer(f"{url}/mcp"), "shop_who")["started"] == "Shop"
    assert value(Peer(f"{url}/mcp"), "crm_who")["started"] == "Customers"


async def test_a_start_that_fails_ends_those_that_have_started() -> None:
    log: list[str] = []

    @asynccontextmanager
    async def failing(_: FastAPI) -> AsyncGenerator[None]:
        raise OSError("no database")
        yield

    toolway = Toolway({"shop": make_app("Shop", log), "crm": FastAPI(lifespan=failing)})
    with pytest.raises(OSError, match="no database"):
        async with engine_of(toolway).run():
            pass
    assert log == ["Shop starts", "Shop ends"]


# What each of them offers


def test_filters_and_settings_hold_for_one_application(serve: Serve) -> None:
    settings = Settings(public_url="http://shop.example.com", forward_headers=["x-tenant"])
    apps = {
        "shop": Toolway(make_app("Shop"), exclude={"tags": ["orders"]}, settings=settings),
        "crm": make_app("Customers"),
    }
    peer = Peer(serve(Toolway(apps).mount().app) + "/mcp")
    assert [name for name in names(peer) if name.endswith("delete_order")] == ["crm_delete_order"]
    assert value(peer, "shop_who")["url"] == "http://shop.example.com/who"
    assert value(peer, "shop_show_caller", headers={"x-tenant": "north"})["x-tenant"] == "north"
    assert value(peer, "crm_show_caller", headers={"x-tenant": "north"})["x-tenant"] is None


def test_a_filter_that_matches_nothing_is_named() -> None:
    toolway = Toolway({"shop": Toolway(make_app("Shop"), include={"tags": ["nothing"]})})
    with pytest.raises(FilterError, match="No operation has the tag 'nothing'"):
        toolway.read_catalog()


def catalog_of(**operations: list[str]) -> Catalog:
    """The catalogue of applications whose operations have these names."""
    apps: dict[str, FastAPI] = {}
    for prefix, ids in operations.items():
        apps[prefix] = FastAPI()
        for name in ids:
            apps[prefix].add_api_route(f"/{name}", lambda: None, operation_id=name)
    return Toolway(apps).read_catalog()


def test_names_stay_unique_and_short() -> None:
    catalog = catalog_of(a=["b_c", LONG], a_b=["c", LONG])
    assert len(catalog.tools) == 4
    assert all(name == tool.name and len(name) <= 64 for name, tool in catalog.tools.items())
    assert [name[:5] for name in catalog.tools] == ["a_b_c", "a_cou", "a_b_c", "a_b_c"]
    assert list(catalog_of(a=["b_c", LONG], a_b=["c", LONG]).tools) == list(catalog.tools)


def test_what_cannot_be_a_tool_is_reported_for_all() -> None:
    shop, crm = FastAPI(), FastAPI()
    for app in (shop, crm):
        app.add_api_websocket_route("/live", lambda: None)
    assert len(Toolway({"shop": shop, "crm": crm}).read_catalog().skipped) == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda app: Toolway({}), "at least one application"),
        (lambda app: Toolway({"my shop": app}), "'my shop'"),
        (lambda app: Toolway({"": app}), "expected a prefix"),
        (lambda app: Toolway({"s" * 32: app}), "up to 31"),
        (lambda app: Toolway({"shop": Toolway({"crm": app})}), "'shop' is itself a combination"),
        (lambda app: Toolway({"shop": app}, include={"tags": ["orders"]}), "Toolway(shop, include=...)"),
        (lambda app: Toolway({"shop": "main:app"}), "got 'main:app'"),
        (lambda app: Toolway(Remote({}, web.AsyncClient())), "base URL"),
        (lambda app: Toolway(Remote({}, web.AsyncClient(base_url="http://a"), ("cookie",))), "'cookie'"),
        (lambda app: Toolway(Remote(app, client=web.AsyncClient())), "base URL"),
        (lambda app: Toolway(Remote(app, client=web.AsyncClient(base_url="http://a")), name="shop", headers=["a"]),
         "use settings=Settings(forward_headers=[...])"),
        (lambda app: Toolway(app, web.AsyncClient()), "use Toolway(Remote(app, client=client))"),
        (lambda app: Toolway(app, client=web.AsyncClient()), "use Toolway(Remote(app, client=...))"),
        (lambda app: Toolway(app, include_tags=["orders"]), "no option 'include_tags'; use include={'tags': [...]}"),
        (lambda app: Toolway(app, exclude_operations=["a"]), "use exclude={'operations': [...]}"),
        (lambda app: Toolway(app, base_url="https://a"), "use settings=Settings(public_url='...')"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_what_to_write(make: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(FastAPI())
    assert words in str(caught.value)


async def test_resources_keep_their_uris_and_all_names_get_the_prefix(serve: Serve) -> None:
    apps = {"shop": make_app("Shop"), "crm": make_app("Customers")}
    for prefix, app in apps.items():
        app.add_api_route(
            "/about",
            lambda prefix=prefix: prefix,
            operation_id="about",
            openapi_extra={"x-toolway": {"resource": {"uri": f"{prefix}://about"}}},
        )
        app.add_api_route(
            "/brief", lambda prefix=prefix: f"Work for {prefix}.", operation_id="brief",
            openapi_extra={"x-toolway": {"prompt": {}}},
        )  # fmt: skip
    async with Client(serve(Toolway(apps).mount().app) + "/mcp") as client:
        resources = [(str(entry.uri), entry.name) for entry in (await client.list_resources()).resources]
        prompts = [entry.name for entry in (await client.list_prompts()).prompts]
        (read,) = (await client.read_resource("crm://about")).contents
        (message,) = (await client.get_prompt("crm_brief")).messages
    assert resources == [("shop://about", "shop_about"), ("crm://about", "crm_about")]
    assert prompts == ["shop_brief", "crm_brief"]
    assert read.text == '"crm"'
    assert "Work for crm." in message.content.text


# APIs that run elsewhere


def host_of(toolway: Toolway, client: httpx2.AsyncClient) -> FastAPI:
    """The application of an operator, who closes the client that they have made."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with client:
            yield

    host = FastAPI(lifespan=lifespan)
    toolway.mount(on=host)
    return host


CALLER = {"authorization": "Bearer secret", "x-key": "secret", "x-tenant": "north", "cookie": "session=secret"}


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("fast_lane", [True, False])
def test_a_remote_api_hears_nothing_of_the_caller(serve: Serve, version: str, fast_lane: bool) -> None:
    """Neither what is passed on within the process, nor what the operator forwards to applications of their own."""
    url = serve(make_app("Customers"))
    client = web.AsyncClient(base_url=url, headers={"x-key": "of the operator"})
    remote = Remote(f"{url}/openapi.json", client)
    settings = Settings(fast_lane=fast_lane, forward_headers=["x-tenant"])
    toolway = Toolway({"shop": make_app("Shop"), "crm": remote}, settings=settings)
    peer = Peer(serve(host_of(toolway, client)) + "/mcp?token=secret", version)
    assert value(peer, "shop_show_caller", headers=CALLER) == {**CALLER, "token": "secret", "cookie": None}
    seen = value(peer, "crm_show_caller", headers=CALLER)
    assert seen == {**dict.fromkeys(CALLER), "token": None, "x-key": "of the operator"}
    assert value(peer, "crm_old")["title"] == "Customers"


def test_a_remote_api_gets_the_headers_that_the_operator_names(serve: Serve) -> None:
    url = serve(make_app("Customers"))
    client = web.AsyncClient(base_url=url)
    remote = Remote(make_app("Customers").openapi(), client, ("Authorization",))
    peer = Peer(serve(host_of(Toolway(remote), client)) + "/mcp")
    seen = value(peer, "show_caller", headers=CALLER)
    assert seen == {**dict.fromkeys(CALLER), "token": None, "authorization": "Bearer secret"}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_document_alone_is_served_under_its_own_name(serve: Serve, tmp_path: Path, mode: str) -> None:
    url = serve(make_app("Customers"))
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(make_app("Customers").openapi()), encoding="utf-8")
    client = web.AsyncClient(base_url=url)
    toolway = Toolway(Remote(str(document), client), exclude={"methods": ["DELETE"]})
    async with Client(serve(host_of(toolway, client)) + "/mcp", mode=mode) as agent:
        assert [tool.name for tool in (await agent.list_tools()).tools] == ["who", "old", "show_caller"]
        assert (await agent.call_tool("who")).structured_content["title"] == "Customers"
        assert agent.server_info.name == "Customers"


async def test_a_document_that_cannot_be_had_fails_the_start_and_not_the_import() -> None:
    client = web.AsyncClient(base_url="http://127.0.0.1:9")
    toolway = Toolway({"crm": Remote("http://127.0.0.1:9/openapi.json", client)}).mount()
    with pytest.raises(DocumentError, match="cannot fetch"):
        async with toolway.app.router.lifespan_context(toolway.app):
            pass


async def test_a_document_is_fetched_without_holding_up_the_others(serve: Serve) -> None:
    """It may come from an application that the same process serves."""
    asked = threading.Event()
    app = make_app("Customers")

    @app.middleware("http")
    async def noted(request: Request, call_next: Any) -> Any:
        asked.set()
        return await call_next(request)

    url = serve(app)
    toolway = Toolway({"crm": Remote(f"{url}/openapi.json", httpx2.AsyncClient(base_url=url))})
    async with engine_of(toolway).run() as running:
        assert asked.is_set()
        assert "crm_who" in running.catalog.tools


async def test_a_refresh_finds_new_routes_of_every_application() -> None:
    shop = make_app("Shop")
    toolway = Toolway({"shop": shop, "crm": make_app("Customers")})
    async with engine_of(toolway).run():
        shop.add_api_route("/new", lambda: None, operation_id="new")
        toolway.refresh()
        assert "shop_new" in toolway.catalog.tools
