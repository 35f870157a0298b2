"""A result that is longer than an agent should read is cut, remains valid, and can be read to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Body, FastAPI, Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp_types import CallToolResult, ResourceLink, TextContent
from pydantic import BaseModel, ConfigDict, Field

from toolway import Settings, ToolResult, Toolway
from toolway.content import ImageContent
from toolway.testing import MCPTestClient

TOKENS = 500
BYTES = 4 * TOKENS
EVERY_WAY = [(mode, fast) for mode in ("2026-07-28", "legacy") for fast in (True, False)]
READ = "read_result"


class Row(BaseModel):
    number: int
    name: str = "spoon"


class Page(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rows: list[Row]
    total: int


class Whole(BaseModel):
    rows: list[Row] = Field(min_length=1000)


def rows(count: int) -> list[Row]:
    return [Row(number=number) for number in range(count)]


def make_app() -> FastAPI:
    app = FastAPI()

    @app.get("/rows", operation_id="list_rows")
    async def list_rows(count: int) -> list[Row]:
        return rows(count)

    @app.get("/page", operation_id="get_page")
    async def get_page(count: int) -> Page:
        return Page(rows=rows(count), total=count)

    @app.get("/prices", operation_id="get_prices")
    async def get_prices() -> dict[str, Row]:
        return {f"item {row.number}": row for row in rows(1000)}

    @app.get("/whole", operation_id="get_whole")
    async def get_whole() -> Whole:
        return Whole(rows=rows(1000))

    @app.get("/text", operation_id="get_text", response_class=Response)
    async def get_text() -> Response:
        return Response("\n".join(f"line {number}" for number in range(1000)), media_type="text/plain")

    @app.get("/string", operation_id="get_string")
    async def get_string() -> str:
        return "\n".join(f'line "{number}"' for number in range(1000))

    @app.get("/exact", operation_id="get_exact", response_class=Response)
    async def get_exact() -> Response:
        return Response(f"[{', '.join(['1.10', '12345678901234567890'] * 500)}]", media_type="application/json")

    @app.get("/picture", operation_id="get_picture", response_model=list[Row])
    async def get_picture() -> ToolResult:
        return ToolResult([ImageContent(data=b"x" * 3000, mime_type="image/png")], structured=rows(1000))

    @app.post("/echo", operation_id="echo")
    async def echo(value: Annotated[Any, Body(embed=True)]) -> Any:
        return value

    return app


def client_of(store: Path | str = "", *, mode: str = "2026-07-28", fast: bool = True, **options: Any) -> MCPTestClient:
    url = f"sqlite:///{store}/results.db" if isinstance(store, Path) else store
    given = {"result_tokens": TOKENS, "fast_lane": fast, **({"store_url": url} if url else {}), **options}
    return MCPTestClient(Toolway(make_app(), settings=Settings(_env_file=None, **given)), mode=mode)


def texts(result: CallToolResult) -> list[str]:
    return [block.text for block in result.content if isinstance(block, TextContent)]


def has_files(folder: Path) -> bool:
    return any(folder.iterdir())


def facts(result: CallToolResult) -> dict[str, Any]:
    """Return the facts for programs in the note about a truncated result."""
    (found,) = [block.meta for block in result.content if block.type == "text" and block.meta]
    return found["toolway/truncated"]


async def read_pages(client: MCPTestClient, handle: str, **arguments: Any) -> list[dict[str, Any]]:
    """Read a result from its beginning, page by page."""
    pages: list[dict[str, Any]] = []
    offset: int | None = 0
    while offset is not None:
        result = await client.call_tool(READ, {"handle": handle, "offset": offset, **arguments})
        assert not result.is_error, result.content
        assert len(texts(result)[0].encode()) <= BYTES
        pages.append(json.loads(texts(result)[0]))
        offset = pages[-1].get("next_offset")
    return pages


@pytest.mark.parametrize(("mode", "fast"), EVERY_WAY)
async def test_a_long_list_is_cut_between_items_with_a_note_on_how_to_read_the_rest(
    mode: str, fast: bool, tmp_path: Path
) -> None:
    async with client_of(tmp_path, mode=mode, fast=fast) as client:
        await client.list_tools()
        result = await client.call_tool("list_rows", {"count": 1000})
        shown = json.loads(texts(result)[0])
        assert sum(len(text.encode()) for text in texts(result)) <= BYTES
        assert shown == [row.model_dump() for row in rows(len(shown))]
        told = facts(result)
        assert (told["shown"], told["total"], told["unit"], told["path"]) == (len(shown), 1000, "items", [])
        note = texts(result)[1]
        assert note.startswith(f"Truncated: the first {len(shown)} of 1,000 items are shown.")
        assert f"read_result(handle='{told['handle']}', offset={len(shown)})" in note
        wrapped = {"result": shown, "_truncated": note}
        assert result.structured_content == (shown if mode != "legacy" else wrapped)


@pytest.mark.parametrize(("mode", "fast"), EVERY_WAY)
async def test_the_pages_of_a_truncated_list_are_its_items(mode: str, fast: bool, tmp_path: Path) -> None:
    async with client_of(tmp_path, mode=mode, fast=fast) as client:
        handle = facts(await client.call_tool("list_rows", {"count": 1000}))["handle"]
        pages = await read_pages(client, handle)
        assert [item for page in pages for item in page["items"]] == [row.model_dump() for row in rows(1000)]
        assert {page["total"] for page in pages} == {1000}
        two = json.loads(texts(await client.call_tool(READ, {"handle": handle, "offset": 998, "limit": 5}))[0])
        assert two == {"items": [{"number": 998, "name": "spoon"}, {"number": 999, "name": "spoon"}], "total": 1000}


async def test_the_one_long_list_in_an_object_is_cut_and_the_rest_of_the_object_is_kept(tmp_path: Path) -> None:
    """The model forbids other members, so the note is not one of them: the client would reject it."""
    async with client_of(tmp_path) as client:
        await client.list_tools()
        result = await client.call_tool("get_page", {"count": 1000})
        content = result.structured_content
        assert content is not None
        assert content.keys() == {"rows", "total"}
        assert content["total"] == 1000
        assert json.loads(texts(result)[0]) == content
        assert facts(result)["path"] == ["rows"]
        pages = await read_pages(client, facts(result)["handle"])
        assert sum(len(page["items"]) for page in pages) == 1000


async def test_an_object_that_may_have_other_members_contains_the_note(tmp_path: Path) -> None:
    """Some clients show agents only the structured content."""
    async with client_of(tmp_path) as client:
        result = await client.call_tool("echo", {"value": {"rows": list(range(1000))}})
        content = result.structured_content
        assert content is not None
        assert content["_truncated"] == texts(result)[1]
        assert json.loads(texts(result)[0]) == content


async def test_the_entries_of_a_map_are_cut_and_read_like_items(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        await client.list_tools()
        result = await client.call_tool("get_prices")
        assert facts(result)["unit"] == "entries"
        assert not result.is_error
        pages = await read_pages(client, facts(result)["handle"])
        found = {key: row for page in pages for key, row in page["entries"].items()}
        assert found == {f"item {row.number}": row.model_dump() for row in rows(1000)}


async def test_a_result_that_cannot_be_cut_under_its_schema_is_an_error_with_the_text(tmp_path: Path) -> None:
    """A client that validates results would reject fewer than 1,000 rows."""
    async with client_of(tmp_path) as client:
        await client.list_tools()
        result = await client.call_tool("get_whole")
        assert result.is_error
        assert result.structured_content is None
        assert facts(result)["unit"] == "characters"
        whole = await client.mcp.read_resource(facts(result)["uri"])
        assert len(json.loads(whole.contents[0].text)["rows"]) == 1000  # type: ignore[union-attr]


@pytest.mark.parametrize(("mode", "fast"), EVERY_WAY)
@pytest.mark.parametrize("tool", ["get_text", "get_string"])
async def test_a_long_text_is_cut_at_the_end_of_a_line(tool: str, mode: str, fast: bool, tmp_path: Path) -> None:
    async with client_of(tmp_path, mode=mode, fast=fast) as client:
        await client.list_tools()
        result = await client.call_tool(tool)
        text = texts(result)[0] if tool == "get_text" else json.loads(texts(result)[0])
        assert text.endswith("\n")
        read, whole = facts(result)["shown"], text
        while read < facts(result)["total"]:
            page = await client.call_tool(READ, {"handle": facts(result)["handle"], "offset": read})
            whole += texts(page)[0]
            read = len(whole)
        line = "line {}" if tool == "get_text" else 'line "{}"'
        assert whole == "\n".join(line.format(number) for number in range(1000))


async def test_numbers_keep_the_form_in_which_the_endpoint_wrote_them(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        result = await client.call_tool("get_exact")
        assert texts(result)[0].startswith("[1.10,12345678901234567890,1.10,")
        page = await client.call_tool(READ, {"handle": facts(result)["handle"], "limit": 2})
        assert '"items":[1.10,12345678901234567890]' in texts(page)[0]


async def test_pictures_beside_truncated_data_are_kept(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        result = await client.call_tool("get_picture")
        assert sorted(block.type for block in result.content) == ["image", "resource_link", "text", "text"]
        assert facts(result)["shown"] < 1000


async def test_a_client_that_reads_resources_gets_the_whole_list(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        result = await client.call_tool("list_rows", {"count": 1000})
        (link,) = [block for block in result.content if isinstance(block, ResourceLink)]
        assert link.uri == facts(result)["uri"]
        (contents,) = (await client.mcp.read_resource(link.uri)).contents
        assert contents.mime_type == link.mime_type == "application/json"
        assert json.loads(contents.text) == [row.model_dump() for row in rows(1000)]  # type: ignore[union-attr]


@pytest.mark.parametrize(("mode", "fast"), EVERY_WAY)
async def test_a_result_that_fits_is_unchanged_and_opens_no_store(mode: str, fast: bool, tmp_path: Path) -> None:
    async with client_of(tmp_path, mode=mode, fast=fast) as client:
        result = await client.call_tool("list_rows", {"count": 3})
        assert json.loads(texts(result)[0]) == [row.model_dump() for row in rows(3)]
        assert len(result.content) == 1
        assert (await client.call_tool(READ, {"handle": "unknown"})).is_error
    assert not has_files(tmp_path)


async def test_the_limit_can_be_turned_off_and_does_not_apply_over_http(tmp_path: Path) -> None:
    async with client_of(tmp_path, result_tokens=0) as client:
        assert len(json.loads(texts(await client.call_tool("list_rows", {"count": 1000}))[0])) == 1000
        assert READ not in [tool.name for tool in await client.list_tools()]
    transport = httpx2.ASGITransport(app=make_app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as web:
        assert len((await web.get("/rows?count=1000")).json()) == 1000


def json_values() -> st.SearchStrategy[Any]:
    simple = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    return st.recursive(simple, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=200)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=json_values())
async def test_any_json_fits_or_is_truncated(value: Any, tmp_path: Path) -> None:
    async with client_of(tmp_path, result_tokens=60) as client:
        result = await client.call_tool("echo", {"value": value})
        whole = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        if len(result.content) == 1:
            assert json.loads(texts(result)[0]) == value
            assert len(whole) <= 240
        else:
            assert len(texts(result)[0].encode()) <= 240 + 400
            assert facts(result)["shown"] < facts(result)["total"]
