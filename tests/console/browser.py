"""Steps of a user in a browser on Swagger UI."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import presence_of_element_located
from selenium.webdriver.support.wait import WebDriverWait

from tests.support import require

PATIENCE = 40
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1600",
    # Only the loopback interface can be reached: a page that needs other hosts fails here, as it would offline.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@dataclass(frozen=True)
class Answer:
    """The content of "Server response" in Swagger UI."""

    status: int
    body: str


@contextmanager
def chromium(profile: Path) -> Generator[Chrome]:
    """Open a headless Chromium with an empty profile in that folder; skip or fail if Chromium is missing."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    require(bool(browser and driver), "needs Chromium and its driver (Debian: chromium, chromium-driver)")
    options = ChromeOptions()
    options.binary_location = str(browser)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    page = Chrome(options=options, service=ChromeService(str(driver)))
    try:
        yield page
    finally:
        page.quit()


def wait_for(page: Chrome, selector: str) -> WebElement:
    """Return the first element that matches a CSS selector, as soon as it exists."""
    wait = WebDriverWait(page, PATIENCE, poll_frequency=0.05)
    return wait.until(presence_of_element_located((By.CSS_SELECTOR, selector)), f"nothing matches {selector!r}")


def open_swagger(page: Chrome, url: str) -> None:
    """Open Swagger UI and wait until it has drawn the operations."""
    page.get(url)
    wait_for(page, ".opblock")


def shown_operations(page: Chrome) -> list[tuple[str, str]]:
    """Return the method and path of every operation that Swagger UI shows, in its order."""
    return [
        (_text(block, ".opblock-summary-method"), _attribute(block, ".opblock-summary-path", "data-path"))
        for block in page.find_elements(By.CSS_SELECTOR, ".opblock")
    ]


def try_out(
    page: Chrome, method: str, path: str, parameters: Mapping[str, str] | None = None, body: str | None = None
) -> Answer:
    """Expand an operation, press "Try it out", fill it in, press "Execute" and read the response.

    Use each operation once per visit of the page: pressing the same buttons again would collapse it.
    """
    index = shown_operations(page).index((method, path))
    block = page.find_elements(By.CSS_SELECTOR, ".opblock")[index]
    _press(page, block, ".opblock-summary-control")
    _press(page, block, ".try-out__btn")
    for name, value in (parameters or {}).items():
        _fill(page, block, f"tr[data-param-name='{name}'] :is(input, select, textarea)", value)
    if body is not None:
        _fill(page, block, ".body-param__text", body)
    _press(page, block, ".execute")
    status = _find(page, block, ".live-responses-table tbody .response-col_status").text
    bodies = block.find_elements(By.CSS_SELECTOR, ".live-responses-table .highlight-code .microlight")
    return Answer(status=int(status.split()[0]), body=bodies[0].text if bodies else "")


def hosts(page: Chrome) -> set[str]:
    """Return the host of everything that the page has loaded or tried to load."""
    script = "return performance.getEntriesByType('resource').map(entry => new URL(entry.name).host)"
    return set(page.execute_script(script))


def _find(page: Chrome, block: WebElement, selector: str) -> WebElement:
    wait = WebDriverWait(page, PATIENCE, poll_frequency=0.05)
    wait.until(lambda _: block.find_elements(By.CSS_SELECTOR, selector), f"nothing matches {selector!r}")
    return block.find_element(By.CSS_SELECTOR, selector)


def _press(page: Chrome, block: WebElement, selector: str) -> None:
    # A click by script lands on the element even when a moving panel covers it for a moment.
    page.execute_script("arguments[0].click()", _find(page, block, selector))


def _fill(page: Chrome, block: WebElement, selector: str, value: str) -> None:
    field = _find(page, block, selector)
    if field.tag_name != "select":
        field.send_keys(Keys.CONTROL, "a")
    # Swagger UI accepts a value when its field loses focus.
    field.send_keys(value, Keys.TAB)


def _text(block: WebElement, selector: str) -> str:
    return block.find_element(By.CSS_SELECTOR, selector).text


def _attribute(block: WebElement, selector: str, name: str) -> str:
    return str(block.find_element(By.CSS_SELECTOR, selector).get_attribute(name))
