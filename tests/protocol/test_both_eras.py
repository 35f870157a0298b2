"""The official client gets the same from every transport, in every era."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client, MCPError
from mcp_types import CallToolResult, ImageContent, TextContent

from tests.protocol.apps import PICTURE
from tests.protocol.clients import EVERYWHERE, connected

NAMES = [
    "get_thing", "list_names", "count_things", "find_thing", "either", "make_wish", "echo", "drop_things", "read_text",
    "show_picture", "fail", "raw_json", "list_rows",
]  # fmt: skip
SPOON = {"id": 1, "name": "spoon", "parts": [], "note": None}
RESULTS: list[tuple[str, dict[str, Any], Any]] = [
    ("get_thing", {"thing_id": 1}, {**SPOON, "parts": [{**SPOON, "id": 2, "name": "handle"}]}),
    ("list_names", {}, ["spoon", "fork"]),
    ("count_things", {}, 2),
    ("find_thing", {}, None),
    ("find_thing", {"known": True}, SPOON),
    ("either", {}, SPOON),
    ("either", {"number": True}, 7),
    ("make_wish", {"name": "ship"}, {"name": "ship", "count": 1, "extra": None}),
    ("echo", {"value": None}, {"value": None}),
    ("echo", {"value": [1, {"a": [None, True, 1.5, "Zoë ☃"]}]}, {"value": [1, {"a": [None, True, 1.5, "Zoë ☃"]}]}),
]
ALWAYS_WRAPPED = {"find_thing", "either"}  # their schemas allow more than objects


@pytest.fixture(scope="module", params=EVERYWHERE, ids=" ".join)
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    transport, mode = request.param
    async with connected(transport, mode) as client:
        yield client


def is_handshake(client: Client) -> bool:
    return client.protocol_version < "2026-07-28"


async def test_the_mode_decides_the_era_and_auto_takes_the_newest(client: Client) -> None:
    assert client.protocol_version == {"legacy": "2025-11-25"}.get(client.mode, "2026-07-28")


async def test_the_server_introduces_itself(client: Client) -> None:
    if client.mode != "2026-07-28":  # pinned, nothing is asked for
        info = client.server_info
        assert info is not None
        assert (info.name, info.title, info.version) == ("things", "Things", "1.2.3")
        assert client.instructions == "Keeps things."
        assert client.server_capabilities.tools is not None
        assert client.server_capabilities.resources is None
        assert client.server_capabilities.prompts is None


async def test_every_tool_is_listed_once_in_the_order_of_the_document(client: Client) -> None:
    """T1 to T4."""
    first, second = await client.list_tools(), await client.list_tools()
    assert [tool.name for tool in first.tools] == NAMES
    assert first.tools == second.tools
    assert first.next_cursor is None
    for tool in first.tools:
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", tool.name)
        assert tool.input_schema["type"] == "object"
        Draft202012Validator.check_schema(tool.input_schema)


async def test_listed_output_schemas_are_objects_wherever_a_handshake_asks_for_it(client: Client) -> None:
    """Edge 1: one other schema would make the whole list fail there."""
    listed = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
    schemas = {name: schema for name, schema in listed.items() if schema is not None}
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    if is_handshake(client):
        assert {schema["type"] for schema in schemas.values()} == {"object"}
        assert schemas["count_things"]["properties"] == {"result": {"type": "integer"}}
    else:
        assert schemas["count_things"] == {"type": "integer"}
        assert schemas["list_names"] == {"type": "array", "items": {"type": "string"}}
    assert not schemas.keys() & {"drop_things", "read_text", "show_picture", "raw_json"}


async def test_structured_content_is_the_endpoints_own_and_fits_the_listed_schema(client: Client) -> None:
    """Edges 1, 2 and 3, T5 and T6."""
    schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
    for name, arguments, expected in RESULTS:
        result = await client.call_tool(name, arguments)
        wraps = is_handshake(client) and (name in ALWAYS_WRAPPED or not isinstance(expected, dict))
        assert result.structured_content == ({"result": expected} if wraps else expected), name
        assert not result.is_error
        if schema := schemas[name]:
            Draft202012Validator(schema).validate(result.structured_content)
        elif expected is None:
            assert not is_handshake(client)  # a top-level null cannot be sent from 2026-07-28 on: nothing promised


async def test_the_text_is_the_same_json(client: Client) -> None:
    """T6."""
    assert await text_of(client, "list_names") == '["spoon","fork"]'
    assert await text_of(client, "find_thing") == "null"


async def test_text_pictures_and_nothing_arrive_as_themselves(client: Client) -> None:
    assert await text_of(client, "read_text") == "plain words"
    assert "204 No Content" in await text_of(client, "drop_things")
    picture = (await client.call_tool("show_picture")).content
    assert picture == [ImageContent(data=base64.b64encode(PICTURE).decode(), mime_type="image/png")]


@pytest.mark.parametrize("text", ["NaN", '{"a": Infinity}', '"\\ud800"', '{"a":' * 300 + "1" + "}" * 300])
async def test_what_only_looks_like_json_stays_text(client: Client, text: str) -> None:
    result = await client.call_tool("raw_json", {"text": text})
    assert (result.structured_content, result.is_error) == (None, False)
    assert result.content == [TextContent(text=text)]


async def test_an_unknown_tool_is_a_protocol_error_that_names_the_nearest(client: Client) -> None:
    """Edge 10, T7."""
    with pytest.raises(MCPError, match="did you mean 'get_thing'") as caught:
        await client.call_tool("get_things", {"thing_id": 1})
    assert caught.value.error.code == -32602


async def test_an_unknown_cursor_is_a_protocol_error(client: Client) -> None:
    """C3."""
    for cursor in ("page-2", ""):
        with pytest.raises(MCPError, match="Unknown cursor") as caught:
            await client.list_tools(cursor=cursor)
        assert caught.value.error.code == -32602


async def test_an_unknown_method_is_a_protocol_error(client: Client) -> None:
    """H6."""
    with pytest.raises(MCPError) as caught:
        await client.list_prompts()
    assert caught.value.error.code == -32601


async def test_a_refusal_of_the_endpoint_is_a_result_that_says_why(client: Client) -> None:
    """T7."""
    result = await client.call_tool("get_thing", {"thing_id": 100})
    assert text_in(result) == "404 Not Found: No thing has the number 100"
    assert error_in(result) == {"status": 404, "detail": "No thing has the number 100"}


async def test_wrong_arguments_are_a_result_that_names_each_of_them(client: Client) -> None:
    """Edges 23 and 24, T7 and T8."""
    result = await client.call_tool("make_wish", {"name": "", "count": "many"})
    error = error_in(result)
    assert error.keys() == {"status", "problems"}
    assert error["status"] == 422
    assert [(entry.keys(), entry["argument"]) for entry in error["problems"]] == [
        ({"argument", "message", "type"}, "name"),
        ({"argument", "message", "type"}, "count"),
    ]
    assert "name: " in text_in(result)
    assert "count: " in text_in(result)
    assert "pydantic" not in result.model_dump_json()


async def test_an_argument_that_the_tool_does_not_have_is_refused_with_the_nearest(client: Client) -> None:
    """Edge 23."""
    result = await client.call_tool("make_wish", {"name": "ship", "cuont": 2})
    detail = "unknown argument 'cuont'; did you mean 'count'? make_wish takes: name, count, extra"
    assert error_in(result) == {"status": None, "detail": detail}
    assert text_in(result) == f"Invalid arguments: {detail}"


async def test_a_failure_inside_shows_a_reference_and_nothing_else(client: Client) -> None:
    """Edge 4."""
    result = await client.call_tool("fail")
    error = error_in(result)
    assert error.keys() == {"status", "reference"}
    assert error["status"] == 500
    assert error["reference"] in text_in(result)
    assert "secret" not in result.model_dump_json()
    assert result.structured_content is None


async def test_a_declared_header_is_sent_by_the_client_and_checked(client: Client) -> None:
    """H5."""
    await client.list_tools()  # the client learns of the header from the list
    for region in ("north", "Süd", " edge ", "=?base64?eA==?="):
        result = await client.call_tool("list_rows", {"region": region, "limit": 2})
        assert text_in(result) == f'["{region}","{region}"]'


async def text_of(client: Client, name: str) -> str:
    return text_in(await client.call_tool(name))


def text_in(result: CallToolResult) -> str:
    [block] = result.content
    assert isinstance(block, TextContent)
    return block.text


def error_in(result: CallToolResult) -> dict[str, Any]:
    """The one shape of an error: a status (None where the endpoint was not reached), and what there is to say."""
    assert result.is_error
    assert result.meta is not None
    return result.meta["toolway/error"]
