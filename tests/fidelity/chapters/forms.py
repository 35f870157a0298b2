"""Forms: fields of every type, form models, names, and what stands beside a form."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Cookie, Depends, Form, Header, Request
from pydantic import BaseModel, ConfigDict, Field, Json, field_validator

from tests.fidelity.case import Chapter
from tests.fidelity.shared import KEY, Color

__all__ = ["chapter"]

chapter = Chapter("Forms")
router, case = chapter.router, chapter.case


class Sheet(BaseModel):
    title: str
    copies: int = 1
    tags: list[str] = []


@router.post("/form")
async def form(
    name: Annotated[str, Form()],
    count: Annotated[int, Form()] = 1,
    tags: Annotated[list[str] | None, Form()] = None,
) -> Any:
    return [name, count, tags]


case(
    "form",
    "form",
    {"name": "n", "count": 2, "tags": ["a", "b&c"]},
    "POST /form",
    data={"name": "n", "count": 2, "tags": ["a", "b&c"]},
)


case("form, wrong", "form", {"count": "x"}, "POST /form", data={"count": "x"})


@router.post("/form-model")
async def form_model(sheet: Annotated[Sheet, Form()]) -> Any:
    return sheet


case(
    "form model",
    "form_model",
    {"title": "t", "tags": ["a", "b"]},
    "POST /form-model",
    data={"title": "t", "tags": ["a", "b"]},
)


# What a form's fields can be.


@router.post("/form/types")
async def form_types(
    whole: Annotated[int, Form(ge=0)],
    flag: Annotated[bool, Form()] = False,
    share: Annotated[float | None, Form()] = None,
    color: Annotated[Color, Form()] = Color.red,
    day: Annotated[date | None, Form()] = None,
    key: Annotated[UUID | None, Form()] = None,
    mode: Annotated[Literal["on", "off"], Form()] = "on",
) -> list[Any]:
    return [whole, flag, share, color, day, key, mode]


FORM_TYPES = {"whole": 3, "share": 0.5, "color": "green", "day": "2026-07-28", "key": KEY, "mode": "off"}
case(
    "types: given",
    "form_types",
    {**FORM_TYPES, "flag": True},
    "POST /form/types",
    data={**FORM_TYPES, "flag": "true"},
    advertised={"whole": {"type": "integer", "minimum": 0}, "color": {"enum": ["red", "green"]}},
)
case("types: the least", "form_types", {"whole": 0}, "POST /form/types", data={"whole": 0})
case("types: beyond", "form_types", {"whole": -1}, "POST /form/types", data={"whole": -1}, blames=["whole"])
case(
    "types: several wrong",
    "form_types",
    {"whole": 1, "color": "blue", "day": "x", "key": "x", "mode": "half"},
    "POST /form/types",
    data={"whole": 1, "color": "blue", "day": "x", "key": "x", "mode": "half"},
    blames=["color", "day", "key", "mode"],
)
case(
    "types: null is left out",
    "form_types",
    {"whole": 1, "share": None, "key": None},
    "POST /form/types",
    data={"whole": 1},
)


@router.post("/form/text")
async def form_text(
    text: Annotated[str, Form()], maybe: Annotated[str | None, Form()] = "-", least: Annotated[str, Form()] = "x"
) -> list[Any]:
    return [text, maybe, least]


for title, text in {
    "what a form would take apart": "a=b&c=d+e%20f",
    "unicode": "żółć 日本 🛒",
    "line breaks": "a\r\nb\nc",
    "blanks": "  ",
    "JSON": '{"a": [1]}',
}.items():
    case(f"text: {title}", "form_text", {"text": text}, "POST /form/text", data={"text": text})
case(
    "text: an empty one is none",
    "form_text",
    {"text": "", "maybe": "", "least": ""},
    "POST /form/text",
    data={"text": "", "maybe": "", "least": ""},
    schema_says="cannot tell",
)
case("text: missing", "form_text", {"maybe": "m"}, "POST /form/text", data={"maybe": "m"}, blames=["text"])


@router.post("/form/all-optional")
async def form_all_optional(
    a: Annotated[str, Form()] = "a",
    b: Annotated[int | None, Form()] = None,
    c: Annotated[list[int], Form()] = [1],  # noqa: B006
) -> list[Any]:
    return [a, b, c]


case("all optional: nothing", "form_all_optional", {}, "POST /form/all-optional", params={})
case(
    "all optional: an empty list is refused, not left out",
    "form_all_optional",
    {"c": []},
    "POST /form/all-optional",
    params={},
    may_stop_early=True,
    schema_says="no",
)
case("all optional: one", "form_all_optional", {"c": [2, 3]}, "POST /form/all-optional", data={"c": [2, 3]})
case(
    "all optional: one of a list is wrong",
    "form_all_optional",
    {"c": [2, "x"]},
    "POST /form/all-optional",
    data={"c": [2, "x"]},
    blames=["c"],
)


@router.post("/form/aliases")
async def form_aliases(
    name: Annotated[str, Form(alias="full-name")],
    kind: Annotated[str, Form(alias="class")] = "-",
    many: Annotated[list[str], Form(alias="tags[]")] = [],  # noqa: B006
) -> list[Any]:
    return [name, kind, many]


case(
    "aliases: given",
    "form_aliases",
    {"full-name": "n", "class": "c", "tags": ["a", "b"]},
    "POST /form/aliases",
    data={"full-name": "n", "class": "c", "tags[]": ["a", "b"]},
    spellings=[{"full-name": "n", "class": "c", "tags[]": ["a", "b"]}],
    needs="fastapi 0.136",
)
case(
    "aliases: the other name is unknown",
    "form_aliases",
    {"name": "n"},
    "POST /form/aliases",
    data={"name": "n"},
    may_stop_early=True,
    needs="fastapi 0.136",
)


@router.post("/form/json-field/{number}")
async def form_json_field(
    number: int,
    entries: Annotated[Json[list[int]], Form()],
    public: bool = False,
    x_token: Annotated[str, Header()] = "-",
    session: Annotated[str, Cookie()] = "-",
) -> list[Any]:
    """A form beside everything else a request holds."""
    return [number, entries, public, x_token, session]


BESIDE = {"number": 1, "public": True, "x-token": "t", "session": "s"}
case(
    "beside path, query, header and cookie",
    "form_json_field",
    {**BESIDE, "entries": "[1, 2]"},
    "POST /form/json-field/1",
    data={"entries": "[1, 2]"},
    params={"public": "true"},
    headers={"x-token": "t", "cookie": "session=s"},
    needs="fastapi 0.136",
)
case(
    "JSON in a field: none",
    "form_json_field",
    {"number": 1, "entries": "[1,"},
    "POST /form/json-field/1",
    data={"entries": "[1,"},
    schema_says="cannot tell",
    blames=["entries"],
)
case(
    "JSON in a field: of another shape",
    "form_json_field",
    {"number": 1, "entries": '["x"]'},
    "POST /form/json-field/1",
    data={"entries": '["x"]'},
    schema_says="cannot tell",
    blames=["entries"],
)


# The same name in the query and in the form.


@router.post("/form/collision/{name}")
async def form_collision(name: str, form_name: Annotated[str, Form(alias="name")], q: str = "-") -> list[str]:
    return [name, form_name, q]


case(
    "a field named as a path parameter",
    "form_collision",
    {"name": "p", "name_body": "f"},
    "POST /form/collision/p",
    data={"name": "f"},
    spellings=[{"name__path": "p", "name": "f"}, {"name": "f"}],
    needs="fastapi 0.136",
)


# Models of forms.


class Application(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    full_name: str = Field(alias="fullName", min_length=2)
    age: int = Field(18, ge=18)
    wishes: set[Color] = set()
    note: str | None = None

    @field_validator("full_name")
    @classmethod
    def two_words(cls, value: str) -> str:
        if " " not in value:
            raise ValueError("a full name has two words")
        return value.title()


@router.post("/form/application")
async def form_application(form: Annotated[Application, Form()]) -> Any:
    return [form.full_name, form.age, sorted(form.wishes), form.note, sorted(form.model_fields_set)]


case(
    "model: aliases, sets, validators",
    "form_application",
    {"fullName": "ann lee", "wishes": ["red"]},
    "POST /form/application",
    data={"fullName": "ann lee", "wishes": ["red"]},
    advertised={"fullName": {"minLength": 2}, "age": {"minimum": 18, "default": 18}},
)
case(
    "model: its validator",
    "form_application",
    {"fullName": "ann"},
    "POST /form/application",
    data={"fullName": "ann"},
    schema_says="cannot tell",
    blames=["fullName"],
)
case(
    "model: too young",
    "form_application",
    {"fullName": "ann lee", "age": 17, "wishes": ["blue"]},
    "POST /form/application",
    data={"fullName": "ann lee", "age": 17, "wishes": ["blue"]},
    blames=["age", "wishes"],
)
case(
    "model: forbidding more",
    "form_application",
    {"fullName": "ann lee", "admin": True},
    "POST /form/application",
    data={"fullName": "ann lee", "admin": "true"},
    may_stop_early=True,
)
case("model: nothing", "form_application", {}, "POST /form/application", params={}, blames=["fullName"])


class Survey(BaseModel, extra="allow"):
    name: str = "x"


@router.post("/form/survey")
async def form_survey(survey: Annotated[Survey, Form()]) -> Any:
    return survey


case(
    "model: allowing more",
    "form_survey",
    {"name": "n", "q1": "yes", "q2": "no"},
    "POST /form/survey",
    data={"name": "n", "q1": "yes", "q2": "no"},
)
case("model: all defaults", "form_survey", {}, "POST /form/survey", params={})


class Contact:
    """A class whose arguments are a form's fields; old releases of FastAPI read no Annotated in a class."""

    def __init__(self, email: str = Form(), phone: str | None = Form(None)) -> None:
        self.email, self.phone = email, phone


@router.put("/form/contact")
async def form_contact(contact: Annotated[Contact, Depends()], vip: Annotated[bool, Form()] = False) -> list[Any]:
    return [contact.email, contact.phone, vip]


case(
    "fields of a dependency",
    "form_contact",
    {"email": "a@b.example", "vip": True},
    "PUT /form/contact",
    data={"email": "a@b.example", "vip": "true"},
)
case("fields of a dependency: missing", "form_contact", {}, "PUT /form/contact", params={}, blames=["email"])


@router.post("/form/plain")
async def form_plain(request: Request, name: Annotated[str, Form()]) -> list[Any]:
    return [request.headers["content-type"].partition(";")[0], name]


case("sent as an HTML form is", "form_plain", {"name": "n"}, "POST /form/plain", data={"name": "n"})
