"""Endpoints read as resources, from every transport and in every era."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client, MCPError
from mcp_types import BlobResourceContents, TextResourceContents

from tests.protocol.clients import BOTH_ERAS, connect
from tests.protocol.reading import PICTURE, POLICY, make_shop
from tests.protocol.test_mounting import asked, running
from tests.protocol.wire import MODERN
from toolway import Toolway, agent_resource, agent_tool
from toolway.app import engine_of
from toolway.errors import ConfigurationError
from toolway.protocol.uris import Template, canonical

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", params=BOTH_ERAS, ids=" ".join)
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    transport, mode = request.param
    async with connect(transport, mode, make_shop) as client:
        yield client


async def read(client: Client, uri: str) -> TextResourceContents | BlobResourceContents:
    (contents,) = (await client.read_resource(uri)).contents
    assert contents.uri == uri
    return contents


async def text_of(client: Client, uri: str) -> str:
    contents = await read(client, uri)
    assert isinstance(contents, TextResourceContents)
    return contents.text


async def refused(client: Client, uri: str) -> Any:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    return caught.value.error


def not_found(client: Client) -> int:
    return -32602 if client.protocol_version >= "2026-07-28" else -32002


async def test_what_has_no_variables_is_listed_and_what_has_some_is_a_template(client: Client) -> None:
    listed = (await client.list_resources()).resources
    assert [entry.uri for entry in listed] == ["shop://return-policy", "shop://logo", "orders://latest", "shop://me"]
    templates = (await client.list_resource_templates()).resource_templates
    assert [entry.uri_template for entry in templates] == [
        "orders://{order_id}", "orders://{order_id}/items/{number}", "search://products{?text,status,limit}",
        "shelves://all{/rooms*}{?numbers}", "files://shop/{+path}", "answers://{status}", "typed://{kind}", "written://{kind}",
    ]  # fmt: skip
    assert all(entry.name and entry.description for entry in [*listed, *templates])


async def test_a_resource_says_what_its_marker_says_and_what_its_operation_says_otherwise(client: Client) -> None:
    policy, logo, *_ = (await client.list_resources()).resources
    assert (policy.name, policy.title, policy.mime_type) == ("get_policy", "Return policy", "text/plain")
    assert policy.description == "Return policy\n\nWhat can be returned, and until when."
    assert (logo.name, logo.title, logo.description, logo.mime_type) == (
        "logo",
        "Logo",
        "The shop's sign.",
        "image/png",
    )
    order, *_ = (await client.list_resource_templates()).resource_templates
    assert (order.name, order.mime_type) == ("order", "application/json")


async def test_a_resource_is_a_tool_too_unless_that_is_hidden(client: Client) -> None:
    names = {tool.name for tool in (await client.list_tools()).tools}
    assert {"get_policy", "get_order"} <= names
    assert "show_logo" not in names


async def test_text_and_bytes_are_read_as_they_are(client: Client) -> None:
    assert await text_of(client, "shop://return-policy") == POLICY
    logo = await read(client, "shop://logo")
    assert isinstance(logo, BlobResourceContents)
    assert (logo.mime_type, base64.b64decode(logo.blob)) == ("image/png", PICTURE)


async def test_json_is_read_as_the_endpoints_own_text(client: Client) -> None:
    contents = await read(client, "orders://%23W1")
    assert contents == TextResourceContents(
        uri="orders://%23W1", mime_type="application/json", text='{"id":"#W1","items":["spoon"]}'
    )


async def test_what_is_not_a_variable_goes_before_what_is(client: Client) -> None:
    assert await text_of(client, "orders://latest") == '{"id":"latest","items":[]}'


async def test_variables_become_arguments(client: Client) -> None:
    for uri, text in {
        "orders://%23W1/items/2": "#W1: 2",
        "orders://#W1/items/2": "#W1: 2",
        "ORDERS://a/items/%32": "a: 2",
        "orders://a b/items/2": "a b: 2",
        "orders://Zoë/items/2": "Zoë: 2",
        "orders://Zo%c3%ab/items/2": "Zoë: 2",
        "orders://a+b/items/2": "a+b: 2",
        "orders://100%25/items/2": "100%: 2",
        "files://shop/a/b%20c.txt": "a/b c.txt",
        "search://products": '{"text":"","status":null,"limit":10}',
        "search://products?limit=3&text=a%26b": '{"text":"a&b","status":null,"limit":3}',
        "search://products?status=pending&unknown=1": '{"text":"","status":"pending","limit":10}',
        "shelves://all/red/blue%20room": '{"rooms":["red","blue room"],"numbers":null}',
        "shelves://all/red?numbers=1,2": '{"rooms":["red"],"numbers":[1,2]}',
    }.items():
        assert await text_of(client, uri) == text, uri


async def test_the_media_type_is_the_answers(client: Client) -> None:
    for kind, (media_type, text) in {
        "csv": ("text/csv", "a;b"),
        "html": ("text/html;profile=mcp-app", "<b>"),
        "latin": ("text/plain", "é"),
        "broken": ("application/json", "{not json"),
        "bytes": ("application/zip", None),
    }.items():
        contents = await read(client, f"typed://{kind}")
        assert contents.mime_type == media_type
        assert text is None or (isinstance(contents, TextResourceContents) and contents.text == text)


async def test_a_written_result_is_read_as_plain_http_has_it(client: Client) -> None:
    words = await client.read_resource("written://words")
    if client.protocol_version >= MODERN:
        assert (words.ttl_ms, words.cache_scope) == (7000, "public")
    with TestClient(make_shop()) as web:
        for kind in ("words", "picture", "embedded", "structured", "mixed"):
            contents, answer = await read(client, f"written://{kind}"), web.get(f"/written/{kind}")
            assert contents.mime_type == answer.headers["content-type"].partition(";")[0]
            is_text = isinstance(contents, TextResourceContents)
            assert (contents.text.encode() if is_text else base64.b64decode(contents.blob)) == answer.content


async def test_an_answer_without_a_body_is_an_empty_text(client: Client) -> None:
    assert await text_of(client, "answers://204") == ""


NOWHERE = [
    "nowhere://", "no uri", "", "shop://return-policy/", "shop://return-policy?x=1", "orders://a/b", "orders://a%2Fb/items",
    "orders://%zz", "orders://%ff", "orders://a\nb", "files://shop/../secret", "files://shop/a/%2e%2e/%2e%2e/secret",
    "files://shop/%2e%2e", "orders://%2e%2e/items/2", "orders://" + "a" * 9000,
]  # fmt: skip


async def test_what_is_not_there_is_not_found(client: Client) -> None:
    """R1, and the codes of older revisions."""
    for uri in NOWHERE:
        error = await refused(client, uri)
        assert (error.code, error.data) == (not_found(client), {"uri": uri})


async def test_what_cannot_be_carried_to_the_endpoint_is_refused(client: Client) -> None:
    for uri in ("orders://", "orders://a%2Fb"):
        error = await refused(client, uri)
        assert (error.code, error.data["uri"]) == (-32602, uri)
        assert "'order_id' must not" in error.message


async def test_what_the_endpoint_does_not_find_is_not_found(client: Client) -> None:
    error = await refused(client, "orders://%23X1")
    assert error.code == not_found(client)
    assert error.message == "Resource not found: orders://%23X1: There is no order #X1"
    assert error.data == {"uri": "orders://%23X1", "detail": "There is no order #X1"}


async def test_a_refusal_keeps_what_the_endpoint_said(client: Client) -> None:
    for status in (400, 401, 403, 409, 410, 418, 429):
        error = await refused(client, f"answers://{status}")
        assert error.code == -32602
        assert "try another" in error.message
        assert error.data == {"uri": f"answers://{status}", "status": status, "detail": {"hint": "try another"}}


async def test_a_value_that_the_endpoint_refuses_is_named(client: Client) -> None:
    error = await refused(client, "orders://a/items/many")
    assert (error.code, error.data["status"]) == (-32602, 422)
    assert error.data["problems"][0]["argument"] == "number"


async def test_a_fault_shows_a_reference_and_nothing_else(client: Client) -> None:
    error = await refused(client, "answers://500")
    assert error.code == -32603
    assert error.data.keys() == {"uri", "status", "reference"}
    assert "secret" not in str(error)


async def test_an_answer_that_points_elsewhere_is_no_resource(client: Client) -> None:
    assert (await refused(client, "answers://303")).code == -32603


async def test_an_unknown_cursor_is_a_protocol_error(client: Client) -> None:
    for ask in (client.list_resources, client.list_resource_templates):
        with pytest.raises(MCPError, match="Unknown cursor") as caught:
            await ask(cursor="page-2")
        assert caught.value.error.code == -32602


async def test_the_caller_reads_as_themselves() -> None:
    app = Toolway(make_shop()).mount().app
    async with running(app):
        for headers, expected in (({"authorization": "Bearer a"}, '"Bearer a"'), ({}, '"nobody"')):
            answer = await asked(app, method="resources/read", uri="shop://me", headers=headers)
            assert answer.json()["result"]["contents"][0]["text"] == expected


@given(order_id=st.text(min_size=1), number=st.integers())
@settings(max_examples=200)
async def test_every_value_comes_back_from_the_uri_that_is_made_of_it(order_id: str, number: int) -> None:
    uri = f"orders://{quote(order_id.encode('utf-8', 'replace'), safe='')}/items/{number}"
    known = canonical(uri)
    assert known is not None
    assert canonical(known) == known
    values = Template("orders://{order_id}/items/{number}").values(known)
    kept = order_id.encode("utf-8", "replace").decode()
    climbs = ".." in kept.replace("\\", "/").split("/")
    assert values == (None if climbs and values is None else {"order_id": kept, "number": str(number)})


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("orders", "expected a URI"),
        ("", "to have a uri"),
        ("orders://{id}", "has the variable 'id'"),
        ("orders://all", "requires 'order_id'"),
        ("orders://{order_id", "invalid URI template"),
        ("orders://{order_id:3}", "invalid URI template"),
        ("orders://{?order_id*}", "invalid URI template"),
        ("orders://{#order_id}", "no fragment"),
        ("{order_id}", "with a scheme"),
        ("orders://all{/order_id*}", "but the endpoint takes a single value"),
    ],
)
async def test_a_uri_that_cannot_be_served_stops_the_start(uri: str, problem: str) -> None:
    app = FastAPI()

    @app.get("/orders/{order_id}")
    @agent_resource(uri)
    async def get_order(order_id: str) -> str:
        return order_id

    with pytest.raises(ConfigurationError, match=r"GET /orders/\{order_id\}") as caught:
        async with engine_of(Toolway(app)).run():
            pass
    assert problem in str(caught.value)


async def test_two_resources_under_one_uri_and_one_that_is_no_get_stop_the_start() -> None:
    twice, posted = FastAPI(), FastAPI()
    for path in ("/a", "/b"):
        twice.add_api_route(path, agent_resource("a://b")(lambda: "x"))
    posted.add_api_route("/a", agent_resource("a://b")(lambda: "x"), methods=["POST"])
    for app, problem in ((twice, "already"), (posted, "only GET")):
        with pytest.raises(ConfigurationError, match=problem):
            async with engine_of(Toolway(app)).run():
                pass


async def test_filters_leave_resources_out_and_marked_endpoints_that_are_only_resources_are_no_tools() -> None:
    toolway = Toolway(make_shop(), exclude={"operations": ["get_order"]}, expose="marked")
    catalog = toolway.read_catalog()
    assert "orders://{order_id}" not in {resource.uri for resource in catalog.resources}
    assert set(catalog.tools) == set()
    app = FastAPI()
    app.add_api_route("/a", agent_tool()(agent_resource("a://b")(lambda: "x")), operation_id="both")
    assert set(Toolway(app, expose="marked").read_catalog().tools) == {"both"}


async def test_resources_that_come_later_are_served_after_a_refresh() -> None:
    app = FastAPI()
    toolway = Toolway(app).mount()
    async with running(app):
        assert (await asked(app, method="resources/list")).json()["error"]["code"] == -32601
        app.add_api_route("/a", agent_resource("a://b")(lambda: "x"), operation_id="late")
        toolway.refresh()
        assert (await asked(app, method="resources/read", uri="a://b")).json()["result"]["contents"][0]["text"] == '"x"'
