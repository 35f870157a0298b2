"""An application that tells which endpoint ran and what arrived there, with many neighbours to fall into by mistake."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Body, Cookie, FastAPI, File, Form, Header, Query, Request, UploadFile
from pydantic import BaseModel

STATIC_SIBLINGS = ("me", "settings", "hidden", "excluded", "a.b", "50% off? #1")


class Inner(BaseModel):
    deep: list[dict[str, str]]


class Outer(BaseModel):
    text: str
    inner: Inner | None = None


class Model(BaseModel, extra="allow"):
    text: str = "default"


class Echoes:
    """Notes which endpoints ran, and what they got."""

    def __init__(self, **options: Any) -> None:
        self.ran: list[tuple[str, Any]] = []
        self.app = FastAPI(**options)
        self._paths(self.app, "")
        self._heads(self.app)
        self._json(self.app)
        self._forms(self.app)
        self._others(self.app)
        inner = FastAPI()
        self._paths(inner, "inner_")
        self.app.mount("/inner", inner)
        house = FastAPI()
        self._paths(house, "house_")
        self.app.mount("/houses/{house}", house)
        self.app.include_router(self._fallbacks())

    def heard(self, name: str, got: Any) -> dict[str, Any]:
        self.ran.append((name, got))
        return {"ran": name, "got": got}

    def _paths(self, app: FastAPI, prefix: str) -> None:
        for sibling in STATIC_SIBLINGS:
            self._static(app, prefix, sibling)

        @app.get("/users/{user_id}/posts", operation_id=f"{prefix}posts")
        async def posts(user_id: str) -> dict[str, Any]:
            return self.heard(f"{prefix}posts", user_id)

        @app.get("/users/{user_id}", operation_id=f"{prefix}user")
        async def user(user_id: str, request: Request) -> dict[str, Any]:
            return self.heard(f"{prefix}user", list(request.path_params.values()))

        @app.get("/users/{number:int}/{rest:path}", include_in_schema=False)
        async def numbered(number: int, rest: str) -> dict[str, Any]:
            return self.heard(f"{prefix}numbered", [number, rest])

        @app.get("/files/secret/{name}", include_in_schema=False)
        async def secret(name: str) -> dict[str, Any]:
            return self.heard(f"{prefix}secret", name)

        @app.get("/files/{file_path:path}", operation_id=f"{prefix}file")
        async def file(file_path: str) -> dict[str, Any]:
            return self.heard(f"{prefix}file", file_path)

        @app.get("/pairs/{left}/to/{right}", operation_id=f"{prefix}pair")
        async def pair(left: str, right: str) -> dict[str, Any]:
            return self.heard(f"{prefix}pair", [left, right])

        @app.get("/names/{stem}.{ending}", operation_id=f"{prefix}name")
        async def name(stem: str, ending: str) -> dict[str, Any]:
            return self.heard(f"{prefix}name", [stem, ending])

    def _static(self, app: FastAPI, prefix: str, sibling: str) -> None:
        name = f"{prefix}static {sibling}"

        @app.get(f"/users/{sibling}", operation_id=name, include_in_schema=sibling != "hidden")
        async def static() -> dict[str, Any]:
            return self.heard(name, None)

    def _fallbacks(self) -> APIRouter:
        """Routes that take whatever the others leave."""
        router = APIRouter()

        @router.get("/{one}/{two}", include_in_schema=False)
        async def two(one: str, two: str) -> dict[str, Any]:
            return self.heard("two", [one, two])

        @router.get("/{one}/{two}/{three}", include_in_schema=False)
        async def three(one: str, two: str, three: str) -> dict[str, Any]:
            return self.heard("three", [one, two, three])

        @router.get("/{one}/{two}/{three}/{four}", include_in_schema=False)
        async def four(one: str, two: str, three: str, four: str) -> dict[str, Any]:
            return self.heard("four", [one, two, three, four])

        @router.get("/{rest:path}", include_in_schema=False)
        async def rest(rest: str) -> dict[str, Any]:
            return self.heard("rest", rest)

        return router

    def _heads(self, app: FastAPI) -> None:
        @app.get("/query", operation_id="query")
        async def query(text: str) -> dict[str, Any]:
            return self.heard("query", text)

        @app.get("/queries", operation_id="queries")
        async def queries(texts: Annotated[list[str], Query()]) -> dict[str, Any]:
            return self.heard("queries", texts)

        @app.get("/header", operation_id="header")
        async def header(x_text: Annotated[str, Header()]) -> dict[str, Any]:
            return self.heard("header", x_text)

        @app.get("/headers", operation_id="headers")
        async def headers(x_texts: Annotated[list[str], Header()]) -> dict[str, Any]:
            return self.heard("headers", x_texts)

        @app.get("/cookie", operation_id="cookie")
        async def cookie(text: Annotated[str, Cookie()], other: Annotated[str, Cookie()] = "-") -> dict[str, Any]:
            return self.heard("cookie", [text, other])

    def _json(self, app: FastAPI) -> None:
        @app.post("/field", operation_id="field")
        async def field(body: Outer) -> dict[str, Any]:
            return self.heard("field", body.text)

        @app.post("/nested", operation_id="nested")
        async def nested(body: Outer) -> dict[str, Any]:
            return self.heard("nested", body.model_dump())

        @app.post("/mapping", operation_id="mapping")
        async def mapping(body: dict[str, str]) -> dict[str, Any]:
            return self.heard("mapping", body)

        @app.post("/open", operation_id="open")
        async def open_model(body: Model) -> dict[str, Any]:
            return self.heard("open", body.model_dump())

    def _forms(self, app: FastAPI) -> None:
        @app.post("/form", operation_id="form")
        async def form(text: Annotated[str, Form()]) -> dict[str, Any]:
            return self.heard("form", text)

        @app.post("/open-form", operation_id="open_form")
        async def open_form(data: Annotated[Model, Form()]) -> dict[str, Any]:
            return self.heard("open_form", data.model_dump())

        @app.post("/upload", operation_id="upload")
        async def upload(file: UploadFile, text: Annotated[str, Form()] = "default") -> dict[str, Any]:
            content = base64.b64encode(await file.read()).decode()
            return self.heard("upload", {"name": file.filename, "content": content, "text": text})

        @app.post("/open-upload", operation_id="open_upload")
        async def open_upload(data: Annotated[UploadModel, Form()]) -> dict[str, Any]:
            return self.heard("open_upload", data.model_dump(exclude={"file"}))

    def _others(self, app: FastAPI) -> None:
        @app.post("/text", operation_id="text")
        async def text(body: Annotated[str, Body(media_type="text/plain")]) -> dict[str, Any]:
            return self.heard("text", body)

        @app.post("/bytes", operation_id="bytes")
        async def raw(body: Annotated[bytes, Body(media_type="application/octet-stream")]) -> dict[str, Any]:
            return self.heard("bytes", base64.b64encode(body).decode())

        @app.post("/raw", operation_id="raw")
        async def request(request: Request) -> dict[str, Any]:
            return self.heard("raw", (await request.body()).decode())


class UploadModel(BaseModel, extra="allow"):
    file: Annotated[UploadFile, File()]
