"""The order desk under test: served from a store, called by tool name over plain HTTP, and read as a whole."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from tools.main import create_app
from tools.retail.database import Database
from tools.retail.desk import open_store
from tools.retail.progress import Progress
from tools.retail.settings import RetailSettings
from tools.retail.store import canonical, import_store

__all__ = ["Desk", "HttpOperations", "fill_store", "open_desk", "read_store"]


class HttpOperations:
    """Calls operations by their tool name and flat arguments, over HTTP as the OpenAPI document describes."""

    def __init__(self, app: FastAPI, client: AsyncClient) -> None:
        self._client = client
        self._operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in app.openapi()["paths"].items()
            for method, operation in methods.items()
        }

    async def __call__(self, name: str, **arguments: Any) -> Response:
        method, path, operation = self._operations[name]
        query: dict[str, Any] = {}
        for parameter in operation.get("parameters", []):
            place = parameter["name"]
            if parameter["in"] == "path":
                path = path.replace(f"{{{place}}}", quote(arguments.pop(place), safe=""))
            elif place in arguments:
                query[place] = arguments.pop(place)
        body = arguments if "requestBody" in operation else None
        return await self._client.request(method.upper(), path, params=query, json=body)


@dataclass
class Desk:
    """A running order desk."""

    app: FastAPI
    client: AsyncClient
    call: HttpOperations
    url: str

    @property
    def store(self) -> Database:
        return self.app.state.retail_store

    async def do(self, name: str, **arguments: Any) -> Any:
        """Call an operation that must succeed, and return its result."""
        response = await self.call(name, **arguments)
        assert response.is_success, response.text
        return response.json()

    async def refuse(self, status: int, name: str, **arguments: Any) -> str:
        """Call an operation that must be rejected and change nothing, and return the message."""
        before = await self.everything()
        response = await self.call(name, **arguments)
        assert response.status_code == status, response.text
        assert await self.everything() == before
        detail = response.json()["detail"]
        return detail if isinstance(detail, str) else json.dumps(detail)

    async def everything(self) -> dict[str, Any]:
        """Return the whole store."""
        return json.loads("".join([piece async for piece in canonical(self.store)]))

    async def balance(self, user_id: str, gift_card: str) -> float:
        user = await self.do("get_user_details", user_id=user_id)
        return user["payment_methods"][gift_card]["balance"]


@asynccontextmanager
async def open_desk(url: str, **settings: Any) -> AsyncGenerator[Desk, None]:
    """Run the application on a store."""
    with TemporaryDirectory() as exports:
        app = create_app(RetailSettings(**{"database_url": url, "export_folder": exports, **settings}))
        async with _served(app, url) as desk:
            yield desk


@asynccontextmanager
async def _served(app: FastAPI, url: str) -> AsyncGenerator[Desk, None]:
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://desk") as client,
    ):
        yield Desk(app, client, HttpOperations(app, client), url)


async def fill_store(url: str, content: dict[str, Any] | str) -> None:
    """Replace the content of a store."""
    text = content if isinstance(content, str) else json.dumps(content)
    async with open_store(RetailSettings(database_url=url)) as store:
        await import_store(store, io.StringIO(text), Progress("importing"))


async def read_store(url: str) -> dict[str, Any]:
    """Return the content of a store."""
    async with open_store(RetailSettings(database_url=url)) as store:
        return json.loads("".join([piece async for piece in canonical(store)]))
