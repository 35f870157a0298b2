"""Work that an endpoint has accepted (202) is followed to its result, where its tool is marked so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, Security
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.security import APIKeyHeader
from mcp import Client

from tests.calls.both import Both, both, error_of, text_of
from tests.protocol.clients import BOTH_ERAS, connect
from tests.protocol.tasking import Client as TaskClient
from tests.servers import PATIENCE, Serve, serving
from toolway import Settings, Toolway, agent_tool
from toolway.calls import CallContext


class Jobs:
    """What happens to the jobs of one application."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.callers: set[str | None] = set()
        self.began = asyncio.Event()
        self.stopped = asyncio.Event()
        self.ready = asyncio.Event()

    def state(self, name: str, polls: int, after: str) -> Response | None:
        """The answer while a job still runs; it is done when it has been asked for so often."""
        self.asked.append(name)
        if self.asked.count(name) >= polls:
            return None
        headers = {"retry-after": after} if after else {}
        message = f"part {self.asked.count(name)} is done"
        return JSONResponse({"message": message}, 202, headers)


def make_app(task: Any = None) -> FastAPI:
    app = FastAPI(title="Accepting")
    app.state.jobs = Jobs()
    add_orders(app, task)
    add_states(app, app.state.jobs)
    add_waits(app, app.state.jobs)
    return app


def make_tasking() -> FastAPI:
    return make_app(task="optional")


def add_orders(app: FastAPI, task: Any) -> None:
    @app.post("/orders", operation_id="order", status_code=202)
    @agent_tool(follow=True, task=task)
    async def order(url: str = "/jobs/a?polls=3&after=0", after: str = "0", empty: bool = False) -> Any:
        headers = {"location": url, "retry-after": after}
        return Response(None, 202, headers) if empty else JSONResponse({"status": "ordered"}, 202, headers)

    @app.post("/keyed", operation_id="keyed", status_code=202, dependencies=[Security(APIKeyHeader(name="X-Key"))])
    @agent_tool(follow=True)
    async def keyed() -> Any:
        return Response(None, 202, {"location": "/hidden/a", "retry-after": "0"})

    @app.post("/unmarked", operation_id="unmarked", status_code=202)
    async def unmarked() -> Any:
        return JSONResponse({"status": "ordered"}, 202, {"location": "/jobs/a"})

    @app.post("/nowhere", operation_id="nowhere", status_code=202, openapi_extra={"x-toolway": {"follow": True}})
    async def nowhere() -> dict[str, str]:
        return {"status": "ordered"}

    @app.post("/documented", operation_id="documented", openapi_extra={"x-toolway": {"follow": True}})
    async def documented() -> Any:
        return Response(None, 202, {"location": "/jobs/a?polls=1"})


def add_states(app: FastAPI, jobs: Jobs) -> None:
    @app.get("/jobs/{name}", operation_id="state")
    async def state(request: Request, name: str, polls: int = 2, after: str = "0") -> Any:
        jobs.callers.add(request.headers.get("authorization"))
        return jobs.state(name, polls, after) or {"job": name}

    @app.get("/moving/{name}", operation_id="moving")
    async def moving(name: str, polls: int = 2) -> Any:
        return jobs.state(name, polls, "0") or RedirectResponse("/results/a", 303)

    @app.get("/results/{name}", operation_id="result")
    async def result(name: str) -> dict[str, str]:
        return {"result": name}

    @app.get("/lost", operation_id="lost")
    async def lost() -> Any:
        raise HTTPException(404, "the job is lost")

    @app.get("/broken", operation_id="broken")
    async def broken() -> Any:
        raise RuntimeError("a secret of the server")

    @app.get("/hidden/{name}", operation_id="hidden")
    @agent_tool(hide=True)
    async def hidden(request: Request, name: str, polls: int = 2) -> Any:
        jobs.callers.add(request.headers.get("x-key"))
        return jobs.state(name, polls, "0") or RedirectResponse(f"/undocumented/{name}", 303)

    @app.get("/undocumented/{name}", include_in_schema=False)
    async def undocumented(name: str) -> dict[str, str]:
        jobs.asked.append("undocumented")
        return {"undocumented": name}

    @app.delete("/gone", operation_id="gone")
    async def gone() -> Any:
        jobs.asked.append("gone")


def add_waits(app: FastAPI, jobs: Jobs) -> None:
    @app.get("/stuck", operation_id="stuck")
    async def stuck() -> Any:
        jobs.began.set()
        try:
            await anyio.Event().wait()
        finally:
            jobs.stopped.set()

    @app.post("/behind", operation_id="behind", status_code=202)
    @agent_tool(follow=True)
    async def behind(work: BackgroundTasks) -> Any:
        work.add_task(jobs.ready.wait)
        return Response(None, 202, {"location": "/behind", "retry-after": "0"}, background=work)

    async def write() -> None:
        jobs.began.set()
        await jobs.ready.wait()
        jobs.asked.append("written")

    @app.post("/written", operation_id="written", status_code=202)
    @agent_tool(follow=True)
    async def written(work: BackgroundTasks) -> Any:
        work.add_task(write)
        return Response(None, 202, {"location": "/stuck"}, background=work)

    @app.post("/stubborn", operation_id="stubborn")
    @agent_tool(follow=True)
    async def stubborn(wait: bool = False) -> Any:
        if not wait:
            return {"waited": False}
        jobs.began.set()
        with suppress(asyncio.CancelledError):
            await anyio.Event().wait()
        return Response(None, 202, {"location": "/jobs/a?after=0", "retry-after": "0"})

    @app.get("/behind", operation_id="look_behind")
    async def look_behind() -> Any:
        jobs.ready.set()
        return {"behind": True}


@asynccontextmanager
async def reach(**settings: Any) -> AsyncGenerator[tuple[Both, Jobs]]:
    app = make_app()
    async with both(app, settings=Settings(_env_file=None, **settings)) as reached:
        yield reached, app.state.jobs


@pytest.mark.parametrize(("transport", "mode"), BOTH_ERAS)
async def test_accepted_work_is_followed_to_its_result_and_each_state_is_reported(transport: str, mode: str) -> None:
    heard: list[Any] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with connect(transport, mode, make_app) as client:
        result = await client.call_tool("order", {}, progress_callback=listen)
    assert result.structured_content == {"job": "a"}
    assert not result.is_error
    assert heard == [(1, None, "ordered"), (2, None, "part 1 is done"), (3, None, "part 2 is done")]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_client_in_the_process_gets_the_same(mode: str) -> None:
    async with both(make_app(), mode=mode) as reached:
        assert (await reached.call("order", {"empty": True})).structured_content == {"job": "a"}
        assert (await reached.call("documented")).structured_content == {"job": "a"}


async def test_the_state_is_asked_for_as_the_caller() -> None:
    async with reach() as (reached, jobs):
        outcome = await reached.called_by("order", {}, {"Authorization": "Bearer mine"})
    assert outcome.structured == b'{"job":"a"}'
    assert jobs.callers == {"Bearer mine"}


async def test_a_state_that_redirects_leads_to_the_result() -> None:
    async with reach() as (reached, jobs):
        result = await reached.call("order", {"url": "/moving/a"})
    assert result.structured_content == {"result": "a"}
    assert jobs.asked == ["a", "a"]


async def test_over_plain_http_the_endpoint_just_answers() -> None:
    async with reach() as (reached, jobs):
        response = await reached.web.post("/orders")
    assert response.status_code == 202
    assert response.json() == {"status": "ordered"}
    assert jobs.asked == []


async def test_only_a_marked_tool_is_followed() -> None:
    async with reach() as (reached, jobs):
        result = await reached.call("unmarked")
    assert result.structured_content == {"status": "ordered"}
    assert jobs.asked == []


async def test_a_202_without_a_location_is_the_answer() -> None:
    async with reach() as (reached, _):
        assert (await reached.call("nowhere")).structured_content == {"status": "ordered"}


async def test_work_is_followed_while_the_endpoint_goes_on_with_it_in_the_background() -> None:
    async with reach() as (reached, _):
        with anyio.fail_after(PATIENCE):
            assert (await reached.call("behind")).structured_content == {"behind": True}


PAST = "Sun, 06 Nov 1994 08:49:37 GMT"
FUTURE = "Fri, 31 Dec 2100 23:59:59 GMT"
DATES = [PAST, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 99999999999 08:49:37 GMT"]


@pytest.mark.parametrize("after", ["0", "0.2", "", "soon", "-1", *DATES])
async def test_the_next_request_waits_as_long_as_the_last_answer_says(after: str) -> None:
    async with reach() as (reached, jobs), anyio.create_task_group() as group:
        group.start_soon(reached.call, "order", {"url": "/jobs/ordered", "after": "30"})
        group.start_soon(reached.call, "order", {"url": "/jobs/asked?after=30"})
        group.start_soon(reached.call, "order", {"url": "/jobs/ordered", "after": FUTURE})
        result = await reached.call("order", {"url": f"/jobs/quick?polls=3&after={after}"})
        assert result.structured_content == {"job": "quick"}
        assert sorted(jobs.asked) == ["asked", "quick", "quick", "quick"]
        group.cancel_scope.cancel()


@pytest.mark.parametrize("url", ["/hidden/a", "http://localhost/hidden/a"])
async def test_a_state_that_is_no_tool_is_followed_too_and_where_that_leads(url: str) -> None:
    async with reach() as (reached, jobs):
        result = await reached.call("order", {"url": url})
    assert result.structured_content == {"undocumented": "a"}
    assert jobs.asked == ["a", "a", "undocumented"]


async def test_a_state_that_is_no_tool_is_asked_for_with_the_credentials_of_the_tool() -> None:
    async with reach() as (reached, jobs):
        outcome = await reached.called_by("keyed", {}, {"X-Key": "mine", "X-Other": "no"})
    assert outcome.structured == b'{"undocumented":"a"}'
    assert jobs.callers == {"mine"}


async def test_a_state_behind_a_prefix_is_found_in_a_mounted_application() -> None:
    inner, outer = make_app(), FastAPI()
    outer.root_path = "/api"
    outer.mount("/inner", inner)
    async with both(outer, exclude={"operations": ["state"]}) as reached:
        result = await reached.call("order", {"url": "/api/inner/jobs/a?polls=1"})
    assert result.structured_content == {"job": "a"}


async def test_where_mcp_itself_stands_is_not_followed(serve: Serve) -> None:
    app = make_app()
    Toolway(app, settings=Settings(_env_file=None, stateful=True)).mount()
    async with Client(serve(app) + "/mcp", mode="legacy") as client:
        result = await client.call_tool("order", {"url": "/mcp"})
    assert error_of(result)["detail"]["error"]["message"] == "A tool call cannot target the MCP endpoint itself."


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/jobs/a", "//elsewhere.example/jobs/a", "http://localhost:81/jobs/a",
        "/jobs/x/../../hidden/a", "/jobs/x/%2e%2e/../../hidden/a", "jobs/../hidden/a", "/hidden/%2e%2e/a", "http://[broken",
    ],
)  # fmt: skip
async def test_a_location_elsewhere_is_told_and_not_followed(url: str, empty: bool) -> None:
    async with reach() as (reached, jobs):
        result = await reached.call("order", {"url": url, "empty": empty})
    assert not result.is_error
    assert result.structured_content == (None if empty else {"status": "ordered"})
    assert result.content[-1].text == f"202 Accepted. The job was not followed; check its status at {url}."  # type: ignore[union-attr]
    assert jobs.asked == []


@pytest.mark.parametrize(("url", "status"), [("/nothing", 404), ("/gone", 405)])
async def test_a_location_where_nothing_can_be_got_is_an_error_of_work_that_was_accepted(url: str, status: int) -> None:
    async with reach() as (reached, jobs):
        result = await reached.call("order", {"url": url})
    assert error_of(result)["status"] == status
    assert "The job was accepted earlier" in str(result.content)
    assert jobs.asked == []


async def test_a_state_that_is_not_found_is_an_error_of_work_that_was_accepted() -> None:
    async with reach() as (reached, _):
        result = await reached.call("order", {"url": "/lost"})
    assert error_of(result) == {"status": 404, "detail": "the job is lost"}
    first, second = (block.text for block in result.content)  # type: ignore[union-attr]
    assert first == "404 Not Found: the job is lost"
    assert second == (
        "The job was accepted earlier; this error came from checking its status at /lost. Retrying may start it twice."
    )


async def test_a_state_that_fails_is_told_without_its_cause() -> None:
    async with reach() as (reached, _):
        result = await reached.call("order", {"url": "/broken"})
    assert error_of(result).keys() == {"status", "reference"}
    assert "secret" not in str(result)


@pytest.mark.parametrize("url", ["/stuck", "/jobs/a?polls=1000", "/hidden/a?polls=1000"])
async def test_after_the_limit_the_result_says_where_to_look(url: str) -> None:
    async with reach(follow_seconds=0.3) as (reached, jobs):
        result = await reached.call("order", {"url": url})
        assert not result.is_error
        text = text_of(result)
        assert text.startswith("202 Accepted; still running after 0.3 seconds. ")
        assert text.endswith(f"GET {url} for its status." if "hidden" in url else f"(or GET {url}) for its status.")
        if url == "/stuck":
            await asyncio.wait_for(jobs.stopped.wait(), PATIENCE)


async def test_a_caller_who_leaves_ends_the_asking() -> None:
    async with reach() as (reached, jobs):
        call = asyncio.create_task(reached.calls.call("order", {"url": "/stuck"}, CallContext()))
        await asyncio.wait_for(jobs.began.wait(), PATIENCE)
        call.cancel()
        await asyncio.wait_for(jobs.stopped.wait(), PATIENCE)
    assert call.cancelled()


async def test_work_that_is_accepted_after_its_caller_has_left_is_not_followed() -> None:
    """Its tool has never waited before."""
    async with reach() as (reached, jobs):
        await reached.calls.call("stubborn", {}, CallContext())
        call = asyncio.create_task(reached.calls.call("stubborn", {"wait": True}, CallContext()))
        await asyncio.wait_for(jobs.began.wait(), PATIENCE)
        call.cancel()
    assert jobs.asked == []


async def test_accepted_work_goes_on_when_its_caller_leaves() -> None:
    async with reach() as (reached, jobs):
        call = asyncio.create_task(reached.calls.call("written", {}, CallContext()))
        await asyncio.wait_for(jobs.began.wait(), PATIENCE)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        jobs.ready.set()
    assert jobs.asked == ["written"]


async def test_a_caller_who_leaves_between_two_requests_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    heard = asyncio.Event()

    async def report(*_: Any) -> None:
        heard.set()

    async with reach() as (reached, jobs):
        context = CallContext(report=report)
        call = asyncio.create_task(reached.calls.call("order", {"after": "30"}, context))
        await asyncio.wait_for(heard.wait(), PATIENCE)
        call.cancel()
    assert jobs.asked == []
    assert caplog.messages == []  # the end of the application had to wait for nothing


@pytest.mark.parametrize("tool", ["order", "nowhere", "documented"])
async def test_a_tool_that_is_followed_promises_nothing_of_its_answer(tool: str) -> None:
    async with reach() as (reached, _):
        assert reached.catalog.tools[tool].output_schema is None
        assert reached.catalog.tools[tool].wrapped_output_schema is None


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    file: Path = tmp_path_factory.mktemp("store") / "tasks.db"
    app = make_tasking()
    Toolway(app, settings=Settings(store_url=f"sqlite:///{file}", follow_seconds=0.05)).mount()
    with serving(app) as served:
        yield served


def test_a_task_follows_accepted_work_as_long_as_it_is_kept(url: str) -> None:
    client = TaskClient(url)
    ended = client.wait(client.start("order")["taskId"])
    assert ended["status"] == "completed"
    assert ended["result"]["structuredContent"] == {"job": "a"}


def test_a_task_says_what_the_state_says(url: str) -> None:
    client = TaskClient(url)
    task = client.start("order", url="/jobs/long?polls=1000&after=0.3")["taskId"]
    client.wait(task, lambda state: "is done (" in state.get("statusMessage", ""))
    client.cancel(task)
    assert client.get(task)["status"] == "cancelled"
