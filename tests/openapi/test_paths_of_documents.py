"""An argument of a remote API's tool cannot choose another operation of the API."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Host

from tests.calls.both import both, error_of, text_of
from tests.calls.upstream import document, operation, parameter, remote_api
from toolway import Settings

pytestmark = pytest.mark.anyio


def paths(*templates: str, method: str = "delete") -> dict[str, dict[str, Any]]:
    """Return a document's paths with one operation each, named like its path."""
    return {
        template: {
            method: operation(
                template, parameters=[parameter(name, "path") for name in ("a", "b", "id") if f"{{{name}}}" in template]
            )
        }
        for template in templates
    }


@pytest.mark.parametrize("value", ["all", "ALL"])
async def test_an_excluded_operation_is_not_reached_through_another_path(value: str) -> None:
    described = document(paths("/users/{id}", "/users/all"))
    async with remote_api(described, exclude={"operations": ["/users/all"]}) as api:
        (name,) = api.catalog.tools
        assert f"id={value!r}" in await api.refusal(name, id=value)
        assert (await api.send(name, id="7")).target == "/users/7"


async def test_an_operation_that_cannot_be_offered_is_not_reached_either() -> None:
    broken = {"delete": operation("broken", parameters=["nonsense"])}
    async with remote_api(document({**paths("/users/{id}"), "/users/all": broken})) as api:
        (name,) = api.catalog.tools
        assert "id='all'" in await api.refusal(name, id="all")


async def test_a_path_of_another_method_takes_nothing() -> None:
    described = document({**paths("/users/{id}"), **paths("/users/all", method="get")})
    async with remote_api(described, exclude={"methods": ["GET"]}) as api:
        (name,) = api.catalog.tools
        assert (await api.send(name, id="all")).target == "/users/all"


@pytest.mark.parametrize(
    ("own", "other", "arguments", "reaches"),
    [
        ("/users/{id}", "/users/all/", {"id": "all"}, False),
        ("/users/{id}", "/{a}/{b}", {"id": "all"}, True),
        ("/{a}/{b}", "/users/{id}", {"a": "users", "b": "1"}, False),
        ("/{a}/{b}", "/users/{id}", {"a": "teams", "b": "1"}, True),
        ("/{a}/c", "/b/{id}", {"a": "b"}, False),
        ("/files/{id}", "/files/{id}.json", {"id": "x.json"}, False),
        ("/files/{id}.json", "/files/{id}", {"id": "x"}, True),
        ("/files/{a}.{b}", "/files/{id}.json", {"a": "x", "b": "json"}, False),
        ("/files/{id}.json", "/files/{a}.{b}", {"id": "x"}, True),
    ],
)
async def test_the_more_concrete_of_two_paths_takes_a_request(
    own: str, other: str, arguments: dict[str, str], *, reaches: bool
) -> None:
    described = document({path: {"get": item["delete"]} for path, item in paths(own, other).items()})
    async with remote_api(described) as api:
        (name,) = [tool.name for tool in api.catalog.tools.values() if tool.operation.path == own]
        if reaches:
            await api.send(name, **arguments)
        else:
            assert repr(next(iter(arguments.values()))) in await api.refusal(name, **arguments)


async def test_a_path_that_is_there_twice_is_not_offered() -> None:
    async with remote_api(document(paths("/users/{a}", "/users/{b}", "/teams/{id}"))) as api:
        assert [tool.operation.path for tool in api.catalog.tools.values()] == ["/teams/{id}"]
        assert "twice" in api.reason("/users/{a}")


@pytest.mark.parametrize("path", ["/users?action=delete", "/users#all"])
async def test_a_path_with_a_query_is_not_offered(path: str) -> None:
    async with remote_api(document(paths(path, "/teams"))) as api:
        assert "'?' or '#'" in api.reason(path)


def app_with_host_route(*, is_first: bool) -> FastAPI:
    app, inner = FastAPI(), FastAPI()
    inner.add_api_route("/users/{name}", lambda name: f"tenant's {name}", operation_id="tenant_user")
    host = Host("{tenant}.example.com", app=inner)
    if is_first:
        app.router.routes.append(host)
    app.add_api_route("/users/{name}", lambda name: f"own {name}", operation_id="user")
    if not is_first:
        app.router.routes.append(host)
    return app


@pytest.mark.parametrize("direct", [True, False])
async def test_a_tool_does_not_reach_another_application_through_a_host_route(*, direct: bool) -> None:
    settings = Settings(_env_file=None, public_url="https://api.example.com", direct=direct)
    async with both(app_with_host_route(is_first=True), settings=settings) as reached:
        result = await reached.call("user", {"name": "ann"})
        assert error_of(result)["status"] == 421
        assert "'api.example.com'" in text_of(result)


@pytest.mark.parametrize(
    ("is_first", "base_url"), [(True, "https://api.example.org"), (False, "https://api.example.com")]
)
async def test_a_host_route_that_does_not_take_the_request_changes_nothing(base_url: str, *, is_first: bool) -> None:
    settings = Settings(_env_file=None, public_url=base_url)
    async with both(app_with_host_route(is_first=is_first), settings=settings) as reached:
        assert text_of(await reached.call("user", {"name": "ann"})) == '"own ann"'
