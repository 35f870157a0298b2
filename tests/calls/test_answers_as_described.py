"""The official client refuses an answer that its tool's output schema does not describe, after the work was done."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Json,
    PlainSerializer,
    SecretStr,
    WithJsonSchema,
    field_serializer,
    model_serializer,
)
from pydantic.dataclasses import dataclass
from pydantic_core import core_schema
from starlette.middleware.base import RequestResponseEndpoint

from tests.calls.both import assert_same, both
from tests.lint.looking import found

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore:`json_encoders`")]

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


class Event(BaseModel):
    at: datetime = NEW_YEAR


class BySerializer(Event):
    @field_serializer("at")
    def seconds(self, at: datetime):  # type: ignore[no-untyped-def]
        return int(at.timestamp())


class BySerializerThatSaysSo(Event):
    @field_serializer("at")
    def seconds(self, at: datetime) -> int:
        return int(at.timestamp())


class ByAnnotation(BaseModel):
    at: Annotated[datetime, PlainSerializer(lambda at: int(at.timestamp()))] = NEW_YEAR


class ByAnnotationThatSaysSo(BaseModel):
    at: Annotated[datetime, PlainSerializer(lambda at: int(at.timestamp()), return_type=int)] = NEW_YEAR


with pytest.deprecated_call():

    class ByConfiguration(Event):
        model_config = ConfigDict(json_encoders={datetime: lambda at: int(at.timestamp())})


class ByModel(Event):
    @model_serializer(mode="wrap")
    def write(self, write: Callable[..., Any]):  # type: ignore[no-untyped-def]
        return {"event": write(self)}


class Renamed(BaseModel):
    at: datetime = Field(NEW_YEAR, validation_alias="taken_at")


class Listing(BaseModel):
    rows: list[ByAnnotation] = [ByAnnotation()]


class Enveloping(JSONResponse):
    def render(self, content: Any) -> bytes:
        return super().render({"data": content})


class Camels(JSONResponse):
    def render(self, content: Any) -> bytes:
        if isinstance(content, dict):
            content = {name.replace("_", "-"): value for name, value in content.items()}
        return super().render(content)


class Indented(JSONResponse):
    def render(self, content: Any) -> bytes:
        return json.dumps(content, indent=4).encode()


class Wanting(JSONResponse):
    def __init__(self, content: Any, status_code: int = 200, **options: Any) -> None:
        super().__init__({**content, "at": "now"}, status_code, **options)


class Named(BaseModel):
    """Rust's regular expressions, by which Pydantic checks, know more than Python's and JavaScript's."""

    name: str = Field("Zoë", pattern=r"^\p{L}+$")
    by_initial: dict[Annotated[str, Field(pattern=r"\A\p{L}\z")], int] = {"Z": 1}


class Number:
    """A type that says by itself what it is written as, as types of libraries do."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        writing = core_schema.plain_serializer_function_ser_schema(lambda _: "17")
        return core_schema.any_schema(serialization=writing)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string"}


class ByType(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    number: Number = Number()
    at: Annotated[datetime, PlainSerializer(lambda at: 7), WithJsonSchema({"type": "integer"})] = NEW_YEAR


@dataclass
class RenamedOutside:
    at: Annotated[int, Field(validation_alias="taken", serialization_alias="given")] = 1


class Parsed(BaseModel):
    rows: Json[list[int]] = [1]


class Due(BaseModel):
    at: datetime

    def __init__(self, at: datetime = NEW_YEAR, **members: Any) -> None:
        super().__init__(at=at, **members)


class Kept(BaseModel):
    key: SecretStr = SecretStr("k")
    price: Decimal = Decimal("1.50")
    start_at: datetime = NEW_YEAR


def application(model: type[Any], **options: Any) -> FastAPI:
    """An application with one tool ``ask``, behind a router as most have it."""
    router = APIRouter()

    @router.post("/ask", operation_id="ask", response_model=model)
    async def ask() -> Any:
        """Ask for an example of what comes back from here."""
        return model()

    app = FastAPI(**options)
    app.include_router(router)
    return app


UNSAID = {
    "field_serializer": application(BySerializer),
    "annotation": application(ByAnnotation),
    "in a list": application(Listing),
    "json_encoders": application(ByConfiguration),
    "model_serializer": application(ByModel),
    "envelope": application(Event, default_response_class=Enveloping),
    "names": application(Kept, default_response_class=Camels),
    "what goes in": application(Renamed, separate_input_output_schemas=False),
    "a dataclass that takes another name": application(RenamedOutside, separate_input_output_schemas=False),
    "what is taken as JSON": application(Parsed, separate_input_output_schemas=False),
    "what goes in, by a serializer": application(BySerializerThatSaysSo, separate_input_output_schemas=False),
}
SAID = {
    "field_serializer": application(BySerializerThatSaysSo),
    "annotation": application(ByAnnotationThatSaysSo),
    "another way of writing the same": application(Event, default_response_class=Indented),
    "Pydantic's own serializers": application(Kept),
    "patterns of Pydantic's kind": application(Named),
    "types that say what they are": application(ByType),
    "a name for what goes in": application(Renamed),
    "what goes in is what comes out": application(Event, separate_input_output_schemas=False),
}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("app", [*UNSAID.values(), *SAID.values()], ids=[*UNSAID, *(f"{name}, said" for name in SAID)])
async def test_the_client_takes_the_answer_that_http_gives(app: FastAPI, mode: str) -> None:
    async with both(app, mode=mode) as reached:
        await reached.mcp.list_tools()
        assert_same(await reached.call("ask"), await reached.web.post("/ask"))


@pytest.mark.parametrize("app", UNSAID.values(), ids=UNSAID)
async def test_what_the_document_cannot_know_is_not_promised_and_lint_says_why(app: FastAPI) -> None:
    async with both(app) as reached:
        tool = reached.catalog.tools["ask"]
    assert (tool.output_schema, tool.wrapped_output_schema) == (None, None)
    (finding,) = await found("R2", app)
    assert "the OpenAPI document may be wrong about the response" in finding.message


@pytest.mark.parametrize("app", SAID.values(), ids=SAID)
async def test_what_the_document_says_rightly_stays_promised(app: FastAPI) -> None:
    async with both(app) as reached:
        assert reached.catalog.tools["ask"].output_schema is not None


async def test_a_response_class_that_cannot_be_tried_promises_nothing() -> None:
    async with both(application(Event, default_response_class=Wanting)) as reached:
        assert reached.catalog.tools["ask"].output_schema is None


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_answer_that_middleware_has_wrapped_is_shown_as_a_failure(mode: str) -> None:
    """Nobody can know of that before; the client would raise an error, and show nothing."""
    app = application(Due)

    @app.middleware("http")
    async def wrap(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        body = b"".join([part async for part in response.body_iterator])  # type: ignore[attr-defined]
        return Response(b'{"data": %b}' % body, media_type="application/json")

    async with both(app, mode=mode) as reached:
        await reached.mcp.list_tools()
        result = await reached.call("ask")
    assert result.is_error
    assert "does not match its output schema" in result.content[0].text  # type: ignore[union-attr]
    assert result.content[1].text == '{"data": {"at":"2026-01-01T00:00:00Z"}}'  # type: ignore[union-attr]
