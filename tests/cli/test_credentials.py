"""Credentials of calls that arrive without HTTP: settings, options and client configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.shell import toolway, write

KEYS = """
from typing import Annotated

from fastapi import FastAPI, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, APIKeyQuery, HTTPBearer

app = FastAPI(title="Keys")
Header = Annotated[str, Security(APIKeyHeader(name="X-API-Key"))]
Query = Annotated[str, Security(APIKeyQuery(name="api_key"))]
Cookie = Annotated[str | None, Security(APIKeyCookie(name="session", auto_error=False))]
Bearer = Annotated[object, Security(HTTPBearer(auto_error=False))]

@app.get("/keys", operation_id="keys")
async def keys(header: Header, query: Query, cookie: Cookie, bearer: Bearer) -> list[str | None]:
    return [header, query, cookie, bearer and bearer.credentials]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("keys"), {"main.py": KEYS, "headers.txt": "X-API-Key: filed\n\n"})


def called(folder: Path, *options: str, env: dict[str, str] | None = None) -> object:
    done = toolway("call", *options, "main:app", "keys", cwd=folder, env=env)

    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_settings_supply_every_kind_of_declared_credential(folder: Path) -> None:
    env = {
        "TOOLWAY_AUTHORIZATION": "Bearer b",
        "TOOLWAY_LOCAL_HEADERS": '{"X-API-Key": "h", "Cookie": "session=c"}',
        "TOOLWAY_LOCAL_QUERY": '{"api_key": "q"}',
    }

    assert called(folder, env=env) == ["h", "q", "c", "b"]


def test_options_read_secrets_from_the_environment_and_from_files(folder: Path) -> None:
    options = ["--header", "@headers.txt", "--query", "api_key=${KEY}", "--header", "Authorization: Bearer ${TOKEN}"]

    assert called(folder, *options, env={"KEY": "q", "TOKEN": "b"}) == ["filed", "q", None, "b"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--header", "X-API-Key: ${MISSING_KEY}"], "the environment variable MISSING_KEY is not set"),
        (["--header", "s3cret"], "--header expects NAME: VALUE or @FILE"),
        (["--header", "@nowhere.txt"], "cannot read 'nowhere.txt'"),
        (
            ["--header", "X-API-Key: s3cret\u20ac"],
            "'X-API-Key' has characters that are not allowed in",
        ),
    ],
)
def test_a_credential_that_cannot_be_read_is_refused_without_its_value(
    folder: Path, options: list[str], words: str
) -> None:
    done = toolway("call", *options, "main:app", "keys", cwd=folder)

    assert done.returncode == 2
    assert words in done.stderr
    assert "s3cret" not in done.stderr


def test_a_snippet_lists_the_environment_variables_it_needs(folder: Path) -> None:
    done = toolway("config", "claude-desktop", "main:app", cwd=folder)

    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(done.stdout)["mcpServers"].values()
    assert entry["env"] == {
        "TOOLWAY_AUTHORIZATION": "...",
        "TOOLWAY_LOCAL_HEADERS": '{"x-api-key": "...", "cookie": "..."}',
        "TOOLWAY_LOCAL_QUERY": '{"api_key": "..."}',
    }
    assert "TOOLWAY_AUTHORIZATION, TOOLWAY_LOCAL_HEADERS, TOOLWAY_LOCAL_QUERY" in done.stderr


def test_no_message_shows_the_password_in_a_url(folder: Path) -> None:
    address = "http://user:s3cret@127.0.0.1:9/openapi.json?token=s3cret"
    for command in (
        ["list", address],
        ["call", address, "x"],
        ["call", "a.json", "x", "--base-url", "ftp://u:s3cret@h"],
    ):
        done = toolway(*command, cwd=folder)

        assert done.returncode == 2
        assert "s3cret" not in done.stdout + done.stderr
