"""A failure says what to change in the words of the tool; what happened inside stays inside."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI, Form, Header, HTTPException, Query, Request, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, Field

from tests.calls.both import Both, both, error_of, text_of
from tests.calls.shapes import Owner, Range, Search
from toolway import Settings
from toolway.errors import UnknownToolError

SECRET = "password=hunter2"


class Part(BaseModel):
    name: str
    size: int = Field(gt=0)


class Order(BaseModel):
    items: list[Part]
    by_name: dict[str, Part] = {}
    id: int = 0


def add_validated(app: FastAPI) -> None:
    @app.post("/orders/{id}")
    async def order(
        id: Annotated[int, Field(gt=0)],  # noqa: A002 - the point of it
        body: Order,
        x_level: Annotated[int, Header()] = 0,
        named: Annotated[int, Query(alias="filter[level]")] = 0,
    ) -> Any:
        return "fine"

    @app.post("/several")
    async def several(first: Part, second: Part) -> Any:
        return "fine"

    @app.post("/whole")
    async def whole(parts: list[Part]) -> Any:
        return "fine"

    @app.post("/range")
    async def check_range(body: Range) -> Any:
        return "fine"

    @app.post("/form")
    async def form(count: Annotated[int, Form()]) -> Any:
        return "fine"

    @app.get("/search")
    async def search(found: Annotated[Search, Query()]) -> Any:
        return "fine"

    @app.post("/owner")
    async def owner(owner: Owner) -> Any:
        return "fine"

    @app.post("/scalar")
    async def scalar(amount: Annotated[int, Body()]) -> Any:
        return "fine"


def add_failing(app: FastAPI) -> None:
    @app.get("/raises")
    async def raises() -> Any:
        raise RuntimeError(SECRET)

    @app.get("/answers-500")
    async def answers_500(status: int = 500) -> Any:
        return PlainTextResponse(SECRET, status)

    @app.get("/raises-503")
    async def raises_503() -> Any:
        raise HTTPException(503, SECRET)

    @app.get("/wrong-model", response_model=Part)
    async def wrong_model() -> Any:
        return {"name": SECRET}


def add_unfinished(app: FastAPI) -> None:
    @app.get("/silent")
    async def silent(request: Request) -> Any:
        class Nothing(Response):
            async def __call__(self, *_: Any) -> None:
                pass

        return Nothing()

    @app.get("/half")
    async def half(request: Request) -> Any:
        class Half(Response):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                raise RuntimeError(SECRET)

        return Half()

    @app.get("/announced")
    async def announced() -> Any:
        class Announced(PlainTextResponse):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": self.body, "more_body": True})
                raise RuntimeError(SECRET)

        return Announced("all of it")


def add_refusing(app: FastAPI) -> None:
    @app.get("/refuses/{status}")
    async def refuses(status: int, size: int = 0) -> Any:
        raise HTTPException(status, "x" * size or None)

    @app.get("/own-status")
    async def own_status() -> Any:
        return JSONResponse({"detail": "gone"}, 499)

    @app.get("/own-422")
    async def own_422() -> Any:
        raise HTTPException(422, "that does not fit together")

    @app.get("/listed-422")
    async def listed_422() -> Any:
        return JSONResponse({"detail": [{"code": 1}, "words"]}, 422)

    @app.get("/no-detail")
    async def no_detail() -> Any:
        return JSONResponse({"error": "quota", "left": 0}, 429)

    @app.get("/bad-json")
    async def bad_json() -> Any:
        return Response(b'{"detail": ', 400, media_type="application/json")

    @app.get("/empty-404")
    async def empty_404() -> Any:
        return Response(status_code=404)


@pytest.fixture(scope="module")
async def reached() -> AsyncGenerator[Both]:
    app = FastAPI()
    add_validated(app)
    add_failing(app)
    add_unfinished(app)
    add_refusing(app)
    async with both(app) as reached:
        yield reached


PART = {"name": "p", "size": 1}
NAMED = {
    "nested in a list": ("order", {"id": 1, "items": [{"size": 1}]}, ["items[0].name"]),
    "deep in a list": ("order", {"id": 1, "items": [PART, {"name": "n", "size": 0}]}, ["items[1].size"]),
    "nested in a mapping": ("order", {"id": 1, "items": [], "by_name": {"a": {"name": "n"}}}, ["by_name.a.size"]),
    "of two places the first": ("order", {"id": 0, "items": []}, ["id"]),
    "of two places the second": ("order", {"id": 1, "id_body": "x", "items": []}, ["id_body"]),
    "both": ("order", {"id": "y", "id_body": "x", "items": []}, ["id", "id_body"]),
    "missing": ("order", {"id": 1}, ["items"]),
    "header": ("order", {"id": 1, "items": [], "x-level": "high"}, ["x-level"]),
    "renamed": ("order", {"id": 1, "items": [], "filter_level": "high"}, ["filter_level"]),
    "several bodies": ("several", {"first": {"name": "x"}, "second": PART}, ["first.size"]),
    "a whole body": ("several", {"first": PART}, ["second"]),
    "inside a whole body": ("whole", {"parts": [PART, {}]}, ["parts[1].name", "parts[1].size"]),
    "a missing whole body": ("whole", {}, ["parts"]),
    "form": ("form", {"count": "x"}, ["count"]),
    "query model": ("search", {"limit": 500}, ["term", "limit"]),
    "scalar body": ("scalar", {"amount": "x"}, ["amount"]),
}


@pytest.mark.parametrize("name", NAMED)
async def test_problems_are_named_by_the_tools_arguments(reached: Both, name: str) -> None:
    tool, arguments, expected = NAMED[name]
    result = await reached.call(tool, arguments)
    assert [problem["argument"] for problem in error_of(result)["problems"]] == expected
    assert text_of(result).startswith(f"Invalid arguments: {expected[0]}: ")


async def test_a_problem_of_the_arguments_together_names_no_single_one(reached: Both) -> None:
    result = await reached.call("check_range", {"low": 2, "high": 1})
    assert text_of(result) == "Invalid arguments: Value error, low must not be above high"


async def test_the_branch_of_a_union_is_no_part_of_the_name(reached: Both) -> None:
    result = await reached.call("owner", {"name": "o", "pet": {"kind": "cat", "lives": "many"}})
    (problem,) = error_of(result)["problems"]
    assert problem["argument"].startswith("pet")
    assert problem["argument"].endswith("lives")


async def test_a_header_that_fastapi_names_by_its_field_is_named_as_the_argument() -> None:
    """Releases of FastAPI do so where a header of a model is missing; here an endpoint says it in any release."""
    app = FastAPI()

    @app.get("/level")
    async def level(x_level: Annotated[int, Header()] = 0) -> Any:
        raise HTTPException(422, [{"loc": ["header", "x_level"], "msg": "Field required", "type": "missing"}])

    async with both(app) as reached:
        result = await reached.call("level")
    assert text_of(result) == "Invalid arguments: x-level: Field required"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [({"trem": "x"}, "did you mean 'term'?"), ({"term": "x", "entirely": 1}, "search takes: term, limit, tags")],
)
async def test_an_unknown_argument_is_refused_with_the_nearest_name(
    reached: Both, arguments: dict[str, Any], hint: str
) -> None:
    result = await reached.call("search", arguments)
    assert error_of(result)["status"] is None
    assert hint in text_of(result)


async def test_unknown_arguments_can_be_ignored() -> None:
    app = FastAPI()
    add_validated(app)
    async with both(app, settings=Settings(ignore_unknown_arguments=True)) as reached:
        assert text_of(await reached.call("search", {"term": "x", "else": 1})) == '"fine"'


async def test_an_unknown_tool_is_no_result_but_an_error(reached: Both) -> None:
    with pytest.raises(UnknownToolError, match="'serach'; did you mean 'search'"):
        await reached.called_by("serach")


FAILING = {
    "raises": ("raises", {}),
    "answers 500": ("answers_500", {}),
    "an answer against its model": ("wrong_model", {}),
    "no answer": ("silent", {}),
    "half an answer": ("half", {}),
}


@pytest.mark.parametrize(
    ("tool", "arguments", "status"), [("answers_500", {"status": 599}, 599), ("raises_503", {}, 503)]
)
async def test_a_5xx_that_the_application_wrote_keeps_its_text(
    reached: Both, tool: str, arguments: dict[str, Any], status: int
) -> None:
    result = await reached.call(tool, arguments)
    assert error_of(result) == {"status": status, "detail": SECRET}
    assert SECRET in text_of(result)


@pytest.mark.parametrize("name", FAILING)
async def test_what_fails_inside_stays_inside_and_the_log_has_it_under_the_reference(
    reached: Both, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    tool, arguments = FAILING[name]
    with caplog.at_level(logging.WARNING, logger="toolway"):
        result = await reached.call(tool, arguments)
    error = error_of(result)
    assert set(error) == {"status", "reference"}
    assert error["status"] >= 500
    assert "hunter2" not in str(result)
    assert re.fullmatch(
        r"The tool failed with a server error\. Reference: \w{12} \(details are in the server log\)\.", text_of(result)
    )
    (record,) = [record for record in caplog.records if error["reference"] in record.getMessage()]
    if tool != "silent":
        assert "hunter2" in caplog.text
    assert f"'{tool}'" in record.getMessage()


async def test_an_answer_as_long_as_announced_is_whole_whatever_fails_behind_it(reached: Both) -> None:
    """As behind the middleware of old releases of Starlette, when work after the answer fails."""
    result = await reached.call("announced")
    assert not result.is_error
    assert text_of(result) == "all of it"


async def test_two_failures_have_two_references(reached: Both) -> None:
    first, second = [error_of(await reached.call("raises"))["reference"] for _ in range(2)]
    assert first != second


REFUSED = {
    "without words": ("refuses", {"status": 404}, 404, "404 Not Found: Not Found"),
    "an unknown status": ("own_status", {}, 499, "499 Unknown Status: gone"),
    "its own 422": ("own_422", {}, 422, "422 Unprocessable Content: that does not fit together"),
    "a 422 of another shape": ("listed_422", {}, 422, '422 Unprocessable Content: [{"code":1},"words"]'),
    "no detail": ("no_detail", {}, 429, '429 Too Many Requests: {"error":"quota","left":0}'),
    "broken JSON": ("bad_json", {}, 400, '400 Bad Request: {"detail": '),
    "nothing": ("empty_404", {}, 404, "404 Not Found"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refusal_keeps_what_the_endpoint_says(reached: Both, name: str) -> None:
    tool, arguments, status, text = REFUSED[name]
    result = await reached.call(tool, arguments)
    assert error_of(result)["status"] == status
    # Python 3.13 renamed this status.
    assert text_of(result).replace("Unprocessable Entity", "Unprocessable Content").startswith(text)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("after", "advice"),
    [
        ("30", "Retry after 30 seconds."),
        ("Mon, 30 Nov 2026 20:00:00 GMT", "Retry after Mon, 30 Nov 2026 20:00:00 GMT."),
    ],
)
async def test_a_caller_hears_when_to_come_again(status: int, after: str, advice: str) -> None:
    app = FastAPI()

    @app.get("/busy")
    async def busy() -> None:
        raise HTTPException(status, "too much at once", headers={"Retry-After": after})

    async with both(app) as reached:
        result = await reached.call("busy")
    assert text_of(result).endswith(f" {advice}")
    assert error_of(result)["retry_after"] == after


async def test_a_long_refusal_is_cut(reached: Both) -> None:
    result = await reached.call("refuses", {"status": 400, "size": 1_000_000})
    assert len(text_of(result)) < 5000
    assert len(str(result)) < 20_000


async def test_of_many_problems_the_first_are_told(reached: Both) -> None:
    result = await reached.call("whole", {"parts": [{}] * 1000})
    assert text_of(result).endswith("; and 1,980 more problems")
    assert len(error_of(result)["problems"]) == 20


@pytest.mark.parametrize("body", [b'{"detail": "\\ud800"}', b'{"detail": NaN}', b"[" * 5000, b"\xff\xfe"])
async def test_a_refusal_that_is_no_json_is_told_as_text(body: bytes) -> None:
    app = FastAPI()

    @app.get("/odd")
    async def odd() -> Any:
        return Response(body, 400, media_type="application/json")

    async with both(app) as reached:
        error = error_of(await reached.call("odd"))
        assert error["detail"] == body.decode("utf-8", "replace")[:4000]


NOT_JSON = {
    "infinity": float("inf"),
    "not a number": float("nan"),
    "nested infinity": [{"a": float("-inf")}],
    "too many digits": 10**5000,
    "lone surrogate": "\ud800",
    "surrogate as a key": {"\ud800": 1},
}


@pytest.mark.parametrize("name", NOT_JSON)
async def test_what_no_request_can_carry_is_refused_by_name(reached: Both, name: str) -> None:
    for tool, argument in (("whole", "parts"), ("order", "items"), ("search", "term"), ("form", "count")):
        arguments = {"id": 1, argument: NOT_JSON[name]} if tool == "order" else {argument: NOT_JSON[name]}
        outcome = await reached.called_by(tool, arguments)
        assert outcome.error is not None
        assert outcome.status is None
        assert f"'{argument}'" in outcome.error["detail"]


async def test_deep_nesting_is_carried_or_refused_by_name(reached: Both) -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    outcome = await reached.called_by("whole", {"parts": value})
    assert outcome.error is not None
    assert "'parts' is nested too deeply" in outcome.error["detail"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("text", "must be a file object"),
        ({"filename": "x"}, "must be a file object"),
        ({"data": "AA==", "text": "x"}, "must be a file object"),
        ({"data": "AA==", "name": "x"}, "must be a file object"),
        ({"data": "A"}, "must be valid base64"),
        ({"data": "AA-_"}, "must be valid base64"),
        ({"data": "AA==\n"}, "must be valid base64"),
        ({"data": "é"}, "must be valid base64"),
        ({"data": 5}, "must be valid base64"),
        ({"text": "x", "content_type": "text/plain\r\nx: y"}, "must be a media type"),
        ({"text": "x", "content_type": ""}, "must be a media type"),
        ({"text": "x", "filename": 'a"\r\nx: y'}, "cannot be sent in the header"),
        ([None], "must be a file object"),
    ],
)
async def test_what_is_no_file_is_refused_by_name(value: Any, message: str) -> None:
    app = FastAPI()

    @app.post("/upload")
    async def upload(file: UploadFile) -> Any:
        return "never"

    async with both(app) as reached:
        outcome = await reached.called_by("upload", {"file": value})
        assert outcome.error is not None
        assert outcome.status is None
        assert "'file" in outcome.error["detail"]
        assert message in outcome.error["detail"]


@pytest.mark.parametrize("value", [[1, None], [[1]], {"a": 1}, [{"a": 1}]])
async def test_a_query_refuses_what_it_cannot_hold(reached: Both, value: Any) -> None:
    outcome = await reached.called_by("search", {"term": "x", "tags": value})
    assert outcome.error is not None
    assert "'tags' must be text, a number or a boolean" in outcome.error["detail"]
