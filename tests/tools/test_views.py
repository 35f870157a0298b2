"""The card of an order and the plot of the sales report, in a browser as a client with MCP Apps shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread
from mcp_types import TextResourceContents
from selenium.webdriver.common.by import By

from tests.console.browser import chromium, wait_for
from tests.tools.desk import fill_store
from tests.tools.places import SqlitePlace
from tests.tools.shop import PENDING, small_shop
from tools.main import create_app
from tools.retail.settings import RetailSettings
from toolway.testing import MCPTestClient

EXTENSION = "io.modelcontextprotocol/ui"
# A client: it shows the view in a sandbox, answers its first request, and then sends it the result of the tool.
CLIENT = """<!doctype html><iframe sandbox="allow-scripts" style="width: 760px; height: 900px; border: 0"></iframe>
<script>
  const frame = document.querySelector("iframe"), result = RESULT;
  const send = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
  addEventListener("message", ({ data }) => {
    if (data.method === "ui/initialize") send({ id: data.id, result: { protocolVersion: "2026-01-26" } });
    if (data.method === "ui/notifications/initialized") {
      send({ method: "ui/notifications/tool-result", params: result });
    }
    if (data.method === "ui/notifications/size-changed") frame.dataset.height = data.params.height;
  });
  frame.srcdoc = VIEW;
</script>"""


async def read_view(tmp_path: Path, tool: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the view that a tool of the order desk is linked to, and the result of a call."""
    place = SqlitePlace(tmp_path)
    url = await place.new()
    await fill_store(url, small_shop())
    settings = RetailSettings(database_url=url, export_folder=str(tmp_path))
    async with MCPTestClient(create_app(settings)) as client:
        capabilities = client.mcp.server_capabilities
        assert EXTENSION in (capabilities.extensions or {})
        (linked,) = [entry for entry in await client.list_tools() if entry.name == tool]
        assert linked.meta is not None
        uri = linked.meta["ui"]["resourceUri"]
        (view,) = (await client.mcp.read_resource(uri)).contents
        assert isinstance(view, TextResourceContents)
        assert view.mime_type == "text/html;profile=mcp-app"
        result = await client.call_tool(tool, arguments)
        assert any(block.type == "text" for block in result.content)
    return view.text, result.model_dump(by_alias=True, mode="json", exclude_none=True)


def show(folder: Path, view: str, result: dict[str, Any]) -> str:
    """Show a view in a browser, save a screenshot in a folder, and return the visible text."""
    page = CLIENT.replace("RESULT", as_script(result)).replace("VIEW", as_script(view))
    (folder / "client.html").write_text(page, encoding="utf-8")
    with chromium(folder / "profile") as browser:
        browser.get((folder / "client.html").as_uri())
        wait_for(browser, "iframe[data-height]")
        browser.switch_to.frame(browser.find_element(By.CSS_SELECTOR, "iframe"))
        wait_for(browser, "article:not([hidden])")
        browser.save_screenshot(str(folder / "view.png"))
        return browser.find_element(By.CSS_SELECTOR, "article").text


def as_script(value: Any) -> str:
    return json.dumps(value).replace("</", "<\\/")


@pytest.mark.timeout(120)
async def test_the_card_of_an_order_shows_its_items_and_payments(tmp_path: Path) -> None:
    view, result = await read_view(tmp_path, "get_order_details", {"order_id": PENDING})
    order = result["structuredContent"]
    text = await to_thread.run_sync(show, tmp_path, view, result)
    assert text.startswith(f"Order {PENDING}\npending")
    for item in order["items"]:
        assert f"{item['name']}" in text
        assert f"${item['price']:.2f}" in text
    assert f"Total ${sum(item['price'] for item in order['items']):.2f}" in text
    assert order["payment_history"][0]["payment_method_id"] in text


@pytest.mark.timeout(120)
async def test_the_plot_of_the_sales_report_shows_products_and_statuses(tmp_path: Path) -> None:
    view, result = await read_view(tmp_path, "sales_report", {})
    report = result["structuredContent"]
    text = await to_thread.run_sync(show, tmp_path, view, result)
    assert text.startswith(f"Sales: ${report['sales']:.2f}")
    for product in report["by_product"]:
        assert f"{product['name']}\n${product['sales']:.2f}" in text
    for status in report["by_status"]:
        assert f"{status['status']}\n{status['orders']}" in text


@pytest.mark.timeout(120)
async def test_names_from_the_store_are_shown_as_text(tmp_path: Path) -> None:
    """A name in the store is not trusted: it must not run as a script in the view."""
    view, result = await read_view(tmp_path, "get_order_details", {"order_id": PENDING})
    result["structuredContent"]["items"][0]["name"] = "<img src=x onerror=\"document.body.append('hacked')\">"
    text = await to_thread.run_sync(show, tmp_path, view, result)
    assert "<img src=x" in text
    assert "hacked" not in text.replace("append('hacked')", "")
