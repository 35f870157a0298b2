"""Endpoints that ask over plain HTTP: a 428 with questions, and the same request repeated with answers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, File, Form, Request, UploadFile
from jsonschema import Draft202012Validator

from tests.protocol.asking import Name, make_asking
from toolway import Ask, Settings, Toolway
from toolway.app import engine_of

ANN = {"user_name": {"name": "Ann"}}


def make_reading() -> FastAPI:
    """Make an application with endpoints that ask, one for each kind of body."""
    app = make_asking()
    router = APIRouter(prefix="/deep")

    @router.post("/json")
    async def read_json(ask: Ask, thing: dict[str, Any]) -> str:
        return f"{(await ask('Name?', Name)).name}: {thing}"

    @router.post("/form")
    async def read_form(ask: Ask, colour: Annotated[str, Form()], file: Annotated[UploadFile, File()]) -> str:
        name = (await ask("Name?", Name)).name
        return f"{name}: {colour} {(await file.read()).decode()}"

    @router.post("/raw")
    async def read_raw(ask: Ask, request: Request) -> str:
        name = (await ask("Name?", Name)).name
        return f"{name}: {(await request.body()).decode()}"

    app.include_router(router)
    inner = FastAPI()
    inner.include_router(router)
    app.mount("/inner", inner)
    return app


@asynccontextmanager
async def served(app: FastAPI, **settings: Any) -> AsyncGenerator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with (
        engine_of(Toolway(app, settings=Settings(**settings))).run(),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


def answering(asked: httpx2.Response, answers: Any) -> dict[str, str]:
    assert asked.status_code == 428
    text = answers if isinstance(answers, str) else json.dumps(answers)
    return {"toolway-state": asked.json()["detail"]["state"], "toolway-answers": text}


async def test_a_question_is_answered_by_repeating_the_request() -> None:
    async with served(make_asking()) as client:
        asked = await client.post("/greet?politely=true")
        detail = asked.json()["detail"]
        assert list(detail["questions"]) == ["user_name"]
        question = detail["questions"]["user_name"]
        assert (question["kind"], question["message"]) == ("elicitation", "What is your name?")
        Draft202012Validator(question["schema"]).validate({"name": "Ann"})
        answered = await client.post("/greet?politely=true", headers=answering(asked, ANN))
        assert (answered.status_code, answered.json()) == (200, "Good day, Ann!")


async def test_an_endpoint_that_asks_twice_takes_two_rounds() -> None:
    app = make_asking()
    async with served(app) as client:
        first = await client.post("/paint")
        second = await client.post("/paint", headers=answering(first, {"step1": {"name": "Jörg"}}))
        assert second.json()["detail"]["questions"]["step2"]["message"] == "Which colour, Jörg?"
        done = await client.post("/paint", headers=answering(second, {"step2": {"colour": "red"}}))
        assert done.json() == "Jörg likes red"
        assert app.state.done["paint"] == 1


async def test_sampling_and_roots_are_asked_in_the_same_way() -> None:
    async with served(make_asking()) as client:
        asked = await client.post("/gather")
        kinds = {key: entry["kind"] for key, entry in asked.json()["detail"]["questions"].items()}
        assert kinds == {"user_name": "elicitation", "greeting": "sampling", "client_roots": "roots"}
        answers = {**ANN, "greeting": {"text": "Hi"}, "client_roots": {"roots": [{"uri": "file:///a"}]}}
        answered = await client.post("/gather", headers=answering(asked, answers))
        assert answered.json() == {"name": "Ann", "greeting": "Hi", "roots": ["file:///a"]}


async def test_null_declines() -> None:
    async with served(make_asking()) as client:
        asked = await client.post("/greet")
        declined = await client.post("/greet", headers=answering(asked, {"user_name": None}))
        assert declined.status_code == 403
        assert "declined" in declined.json()["detail"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({}, ""),
        ({"other": 1}, ""),
        ({"user_name": {}}, "name: Field required"),
        ({"user_name": {"name": "A"}}, "name: String should have at least 2 characters"),
        ({"user_name": 7}, "Input should be a valid dictionary"),
    ],
)
async def test_a_missing_or_invalid_answer_is_asked_again_with_the_reason(answer: Any, problem: str) -> None:
    async with served(make_asking()) as client:
        asked = await client.post("/greet")
        again = await client.post("/greet", headers=answering(asked, answer))
        ((key, question),) = again.json()["detail"]["questions"].items()
        assert key == "user_name"
        assert question["message"].startswith("What is your name?")
        assert ("was not valid" in question["message"]) == bool(problem)
        assert problem in question["message"]
        assert (await client.post("/greet", headers=answering(again, ANN))).status_code == 200


async def test_answers_without_a_state_are_ignored() -> None:
    async with served(make_asking()) as client:
        headers = {"toolway-answers": json.dumps(ANN)}
        assert (await client.post("/greet", headers=headers)).status_code == 428


@pytest.mark.parametrize("answers", ["", "nonsense", "[1]", '{"user_name": NaN}'])
async def test_answers_that_are_not_a_json_object_are_refused_and_the_state_stays_valid(answers: str) -> None:
    async with served(make_asking()) as client:
        asked = await client.post("/greet")
        refused = await client.post("/greet", headers=answering(asked, answers))
        assert refused.status_code == 400
        assert "JSON object" in refused.json()["detail"]
        assert (await client.post("/greet", headers=answering(asked, ANN))).status_code == 200


async def test_a_state_is_good_for_one_request_and_one_caller_and_once() -> None:
    async with served(make_asking(), forward_headers=["x-user"]) as client:

        async def asked() -> dict[str, str]:
            return answering(await client.post("/own", headers={"x-key": "ann"}), {"answer1": {"name": "Ann"}})

        for address, more in (
            ("/own?more=1", {"x-key": "ann"}),
            ("/survive", {"x-key": "ann"}),
            ("/own", {"x-key": "bob"}),
            ("/own", {}),
            ("/own", {"x-key": "ann", "authorization": "Bearer bob"}),
            ("/own", {"x-key": "ann", "cookie": "session=bob"}),
            ("/own", {"x-key": "ann", "x-user": "bob"}),
        ):
            refused = await client.post(address, headers={**await asked(), **more})
            assert (refused.status_code, "Toolway-State is not valid" in refused.text) == (400, True), (address, more)
        headers = {**await asked(), "x-key": "ann"}
        assert (await client.post("/own", headers=headers)).json() == "ann: Ann"
        again = await client.post("/own", headers=headers)
        assert (again.status_code, "already used" in again.text) == (400, True)


async def test_a_tampered_or_expired_state_is_refused() -> None:
    async with served(make_asking(), state_seconds=0.1) as client:
        headers = answering(await client.post("/greet"), ANN)
        for state in (headers["toolway-state"][:-4] + "AAAA", "x", ""):
            assert (await client.post("/greet", headers={**headers, "toolway-state": state})).status_code == 400


@pytest.mark.parametrize("prefix", ["/deep", "/inner/deep"])
async def test_a_state_is_bound_to_the_body(prefix: str) -> None:
    bodies: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
        ("json", {"json": {"a": 1}}, {"json": {"a": 2}}, "Ann: {'a': 1}"),
        (
            "form",
            {"data": {"colour": "red"}, "files": {"file": ("f", b"one")}},
            {"data": {"colour": "red"}, "files": {"file": ("f", b"two")}},
            "Ann: red one",
        ),
        ("raw", {"content": b"one"}, {"content": b"two"}, "Ann: one"),
    ]
    async with served(make_reading()) as client:
        for name, body, other, answer in bodies:
            address, answers = f"{prefix}/{name}", {"answer1": {"name": "Ann"}}
            headers = answering(await client.post(address, **body), answers)
            assert (await client.post(address, headers=headers, **other)).status_code == 400
            headers = answering(await client.post(address, **body), answers)
            assert (await client.post(address, headers=headers, **body)).json() == answer


async def test_openapi_describes_the_answer_and_the_tool_has_no_argument_for_it() -> None:
    app = make_reading()
    async with served(app):
        catalog = Toolway(app).read_catalog()
        assert set(catalog.tools["greet"].arguments) == {"politely"}
        for document, path in ((app.openapi(), "/greet"), (app.openapi(), "/deep/json")):
            operation = document["paths"][path]["post"]
            headers = {entry["name"] for entry in operation["parameters"] if entry["in"] == "header"}
            assert headers == {"Toolway-State", "Toolway-Answers"}


async def test_endpoints_of_an_application_without_toolway_can_ask() -> None:
    app = make_asking()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as client:
        asked = await client.post("/greet")
        assert (await client.post("/greet", headers=answering(asked, ANN))).json() == "Hello, Ann!"
