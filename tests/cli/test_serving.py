"""``toolway serve``: MCP and the application's endpoints over HTTP."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from mcp import Client, MCPError

from tests import web
from tests.cli.shell import PATIENCE, TOOLWAY, toolway, write
from tests.servers import Process, free_port, running

ERAS = [pytest.param("auto", "2026-07-28", id="2026-07-28"), pytest.param("legacy", "2025-11-25", id="2025-11-25")]
READY = "Press Ctrl+C to stop"
STOCK = """
@app.get("/stock")
async def stock() -> int:
    return 1
"""
PLACED = f"""
from fastapi import FastAPI
from toolway import Toolway

app = FastAPI(title="Placed", docs_url="/try")
{STOCK}
Toolway(app).mount("/agents")

silent = FastAPI(title="Silent", docs_url=None)
"""
OWN = f"""
from fastapi import FastAPI
from starlette.responses import PlainTextResponse

app = FastAPI()
{STOCK}
app.mount("/mcp", PlainTextResponse("my own"))
"""
ASKING = """
import os
from fastapi import FastAPI, Request
from pydantic import BaseModel
from toolway import Ask

app = FastAPI()


class Name(BaseModel):
    name: str


@app.middleware("http")
async def sign(request: Request, call_next):
    response = await call_next(request)
    response.headers["x-worker"] = str(os.getpid())
    return response


@app.post("/greet")
async def greet(ask: Ask) -> str:
    return f"Hello, {(await ask('Your name?', Name)).name}"
"""
ELSEWHERE = f"""
from fastapi import APIRouter, FastAPI
from toolway import Toolway

app = api = FastAPI()
{STOCK}
site = FastAPI()
Toolway(api).mount("/tools", on=site)

app = routed = FastAPI()
{STOCK}
router = APIRouter(prefix="/v1")
Toolway(routed).mount(on=router)
routed.include_router(router, prefix="/api")

lone = FastAPI(title="Lone")
Toolway(lone).mount(on=APIRouter())
"""
SEVERAL = f"""
from fastapi import APIRouter, FastAPI
from toolway import Toolway

app = FastAPI(title="Several")
{STOCK}
@app.get("/salaries")
async def salaries() -> int:
    return 1

router = APIRouter(prefix="/v1")
Toolway(app, exclude={{"paths": ["/salaries"]}}).mount("/public")
Toolway(app).mount("/staff").mount(on=router)
Toolway(app).mount(on=APIRouter())
app.include_router(router, prefix="/api")
"""
INSIDE = f"""
from contextlib import asynccontextmanager
from fastapi import FastAPI
from toolway import Toolway

app = inner = FastAPI(title="Inner")
{STOCK}
Toolway(inner).mount("/tools")

@asynccontextmanager
async def lifespan(_):
    async with inner.router.lifespan_context(inner):
        yield

outer, starting = FastAPI(), FastAPI(lifespan=lifespan)
outer.mount("/api", inner)
starting.mount("/api", inner)
"""
FORGOTTEN = f"""
from fastapi import FastAPI
from toolway import Toolway

app = FastAPI()
{STOCK}
@app.get("/salaries")
async def salaries() -> int:
    return 1

Toolway(app, exclude={{"paths": ["/salaries"]}})
"""
FILTERED = f"""
from fastapi import FastAPI
from toolway import Toolway

app = FastAPI()
{STOCK}
Toolway(app, include={{"tags": ["nothing"]}}).mount()
"""
BROKEN = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    raise RuntimeError("no database")
    yield

app = FastAPI(lifespan=lifespan)
"""
CLEAN = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    print("started", flush=True)
    yield
    print("stopped", flush=True)

app = FastAPI(lifespan=lifespan)
"""


SLOW = """
import sys
import threading

if "--multiprocessing-fork" in sys.orig_argv:
    threading.Event().wait(6)
"""


@contextmanager
def served(folder: Path, app: str = "main:app", *options: str) -> Generator[tuple[str, Process]]:
    """Serve on a free port; yield the base URL that the command prints, and the process."""
    command = [*TOOLWAY, "serve", app, "--port", "0", *options]
    with running(command, cwd=folder, ready=READY) as process:
        yield process.url("MCP endpoint"), process


@pytest.mark.anyio
@pytest.mark.parametrize(("mode", "version"), ERAS)
async def test_the_official_client_lists_and_calls(noisy: Path, mode: str, version: str) -> None:
    with served(noisy) as (url, _):
        async with Client(f"{url}/mcp", mode=mode) as client:
            listed = await client.list_tools()
            result = await client.call_tool("stock", {"product": "lamp", "pieces": 2})

            assert client.protocol_version == version
        page = web.get(f"{url}/docs")

    assert len(listed.tools) == 6
    assert result.structured_content == {"product": "lamp", "pieces": 2}
    assert page.status_code == 200


def test_startup_prints_the_urls(noisy: Path) -> None:
    with served(noisy) as (url, process):
        shown = process.output

    assert f"MCP endpoint  {url}/mcp\n" in shown
    assert f"Swagger UI    {url}/docs\n" in shown
    assert "Warehouse: 6 tools" in shown
    assert "TOOLWAY_ALLOWED_HOSTS" not in shown


def test_startup_prints_the_paths_that_the_application_chose(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": PLACED})
    with served(tmp_path) as (url, process):
        moved = process.output
        assert web.get(f"{url}/try").status_code == 200
    with served(tmp_path, "main:silent") as (_, process):
        silent = process.output

    assert f"MCP endpoint  {url}/agents\n" in moved
    assert f"Swagger UI    {url}/try\n" in moved
    assert "Placed: 1 tool (about " in moved
    assert "Swagger UI" not in silent


def test_startup_prints_the_url_and_tool_count_of_each_endpoint(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": SEVERAL})
    with served(tmp_path) as (url, process):
        shown = process.output

    assert re.findall(r"MCP endpoint  (.*)", shown) == [
        f"{url}/public  (1 tool)",
        f"{url}/staff  (2 tools)",
        f"{url}/api/v1/mcp  (2 tools)",
    ]
    assert "Several: 3 MCP endpoints. Press Ctrl+C" in shown


@pytest.mark.parametrize(("app", "is_started"), [("outer", False), ("starting", True)])
def test_startup_warns_of_a_mounted_application_whose_lifespan_does_not_run(
    tmp_path: Path, app: str, is_started: bool
) -> None:
    write(tmp_path, {"main.py": INSIDE})
    with served(tmp_path, f"main:{app}") as (url, process):
        shown = process.output
        answer = web.post(f"{url}/api/tools", json={}, headers={"accept": "application/json, text/event-stream"})

    assert (answer.status_code == 503) is not is_started
    assert ("Not started   /tools of 'Inner'" in shown) is not is_started


def test_a_public_address_has_to_be_an_allowed_host(noisy: Path) -> None:
    """Startup prints the setting, because requests with another Host header are refused."""
    with served(noisy, "main:app", "--host", "127.0.0.2") as (url, process):
        refused = web.post(f"{url}/mcp", json={})

        assert refused.status_code == 421
        assert """TOOLWAY_ALLOWED_HOSTS='["localhost", "127.0.0.1", "[::1]", "127.0.0.2"]'""" in process.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_shuts_it_down_although_a_thread_is_running(tmp_path: Path, number: signal.Signals) -> None:
    thread = f"import threading\nthreading.Thread(target=threading.Event().wait, args=[{10 * PATIENCE}]).start()\n"
    write(tmp_path, {"main.py": CLEAN + thread})
    with served(tmp_path) as (_, process):
        process.popen.send_signal(number)

        assert process.popen.wait(PATIENCE) == -number
    assert "stopped" in process.output
    assert "Traceback" not in process.output


def test_the_lifespan_runs_once(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": CLEAN})
    with served(tmp_path) as (url, process):
        web.get(f"{url}/openapi.json")

    assert [line for line in process.lines if line in {"started\n", "stopped\n"}] == ["started\n", "stopped\n"]


def test_startup_is_announced_for_an_application_that_replaces_its_state(tmp_path: Path) -> None:
    state = CLEAN.replace('print("started", flush=True)', "app.state = State()")
    write(tmp_path, {"main.py": f"from starlette.datastructures import State\n{state}"})
    with served(tmp_path) as (url, process):
        assert web.get(f"{url}/openapi.json").status_code == 200
    assert "0 tools. Press Ctrl+C" in process.output


@pytest.mark.anyio
async def test_workers_answer_in_separate_processes(noisy: Path) -> None:
    with served(noisy, "main:app", "--workers", "2") as (url, process):
        async with Client(f"{url}/mcp") as client:
            listed = await client.list_tools()
            result = await client.call_tool("process", {})
        children = {child.pid for child in psutil.Process(process.popen.pid).children()}
        process.popen.send_signal(signal.SIGINT)

        assert process.popen.wait(PATIENCE) == -signal.SIGINT
    assert len(listed.tools) == 6
    assert result.structured_content in children
    assert process.output.count("MCP endpoint") == 1
    assert "Traceback" not in process.output
    assert "Warning" not in process.output


def test_an_answer_to_one_workers_question_may_reach_another_worker(tmp_path: Path) -> None:
    """Workers that are started together share a key without any configuration."""
    write(tmp_path, {"main.py": ASKING})
    with served(tmp_path, "main:app", "--workers", "2") as (url, _):
        crossed = 0
        while crossed < 2:
            asked = web.post(f"{url}/greet")
            state = {"toolway-state": asked.json()["detail"]["state"]}
            answers = {"toolway-answers": '{"answer1": {"name": "Ann"}}'}
            answered = web.post(f"{url}/greet", headers=state | answers)
            assert answered.json() == "Hello, Ann"
            crossed += asked.headers["x-worker"] != answered.headers["x-worker"]


def test_a_worker_may_start_slowly(noisy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default, uvicorn kills a worker that does not respond for five seconds."""
    write(noisy, {"slow/sitecustomize.py": SLOW})
    monkeypatch.setenv("PYTHONPATH", str(noisy / "slow"))
    with served(noisy, "main:app", "--workers", "2") as (url, process):
        assert web.get(f"{url}/docs").status_code == 200
    assert "died" not in process.output


@pytest.mark.parametrize("options", [[], ["--workers", "2"]], ids=["one process", "workers"])
def test_a_filter_that_matches_nothing_is_reported_once(tmp_path: Path, options: list[str]) -> None:
    write(tmp_path, {"main.py": FILTERED})

    done = toolway("serve", "main:app", "--port", "0", *options, cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.count("toolway: No operation has the tag 'nothing' (include={'tags': ...})") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("options", [[], ["--workers", "2"]], ids=["one process", "workers"])
def test_a_failed_startup_is_reported_once_with_its_file_and_line(tmp_path: Path, options: list[str]) -> None:
    """One line replaces the traceback."""
    write(tmp_path, {"main.py": BROKEN})

    done = toolway("serve", "main:app", "--port", "0", *options, cwd=tmp_path)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.count("toolway: the application failed to start: RuntimeError: no database") == 1
    assert "main.py, line" in done.stderr
    assert "MCP endpoint" not in done.stderr


def test_the_port_is_free_again_at_once(tmp_path: Path) -> None:
    """A developer restarts the server right after a change."""
    write(tmp_path, {"main.py": CLEAN})
    port = str(free_port())
    command = [*TOOLWAY, "serve", "main:app", "--port", port]

    for _ in range(2):
        with running(command, cwd=tmp_path, ready=READY):
            assert web.get(f"http://127.0.0.1:{port}/openapi.json").status_code == 200


@pytest.mark.skipif(not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"), reason="needs IPv6")  # noqa: PTH110
def test_ipv6_addresses_are_written_in_brackets(noisy: Path) -> None:
    with served(noisy, "main:app", "--host", "::1") as (url, _):
        assert url.startswith("http://[::1]:")
        assert web.get(f"{url}/docs").status_code == 200


async def test_an_application_keeps_its_own_route_at_the_default_path(tmp_path: Path) -> None:
    """It may be its own MCP server, whose clients keep working."""
    write(tmp_path, {"main.py": OWN})

    with served(tmp_path) as (base, process):
        assert f"MCP endpoint  {base}/toolway/mcp" in process.output
        assert web.get(f"{base}/mcp/").text == "my own"
        async with Client(f"{base}/toolway/mcp") as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["stock"]


@pytest.mark.parametrize(
    ("name", "path"), [("api", "/tools"), ("site", "/tools"), ("routed", "/api/v1/mcp")], ids=lambda text: text
)
async def test_mcp_is_served_where_the_application_mounted_it(tmp_path: Path, name: str, path: str) -> None:
    """On another application or a router, and not again at the default path, without its dependencies."""
    write(tmp_path, {"main.py": ELSEWHERE})

    with served(tmp_path, f"main:{name}") as (base, process):
        assert f"MCP endpoint  {base}{path}\n" in process.output
        assert web.post(f"{base}/mcp", json={}).status_code == 404
        async with Client(f"{base}{path}") as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["stock"]


async def test_the_filters_of_a_toolway_that_is_not_mounted_apply(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": FORGOTTEN})

    with served(tmp_path) as (base, _):
        async with Client(f"{base}/mcp") as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["stock"]
            with pytest.raises(MCPError, match="Unknown tool"):
                await client.call_tool("salaries", {})


def test_an_application_without_the_router_of_mcp_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": ELSEWHERE})

    done = toolway("serve", "main:lone", "--port", "0", cwd=tmp_path)

    assert done.returncode == 2
    assert "'Lone' does not include the router that MCP is mounted on" in done.stderr
