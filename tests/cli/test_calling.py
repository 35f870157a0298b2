"""``toolway call``: one call in the process of the command."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import TOOLWAY, environment, noises, toolway, write
from tests.servers import START

GUARDED = """
from typing import Annotated
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI()

@app.get("/token")
async def token(given: Annotated[object, Depends(HTTPBearer())]) -> str:
    return given.credentials
"""

ASKING = """
from fastapi import FastAPI
from pydantic import BaseModel
from toolway import Ask

app = FastAPI()

class Name(BaseModel):
    name: str

@app.post("/greet", operation_id="greet")
async def greet(ask: Ask) -> str:
    return (await ask("Your name?", Name)).name
"""


def echoed(noisy: Path, *arguments: str) -> Any:
    done = toolway("call", "main:app", "echo", *arguments, cwd=noisy)

    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_result_is_printed_to_stdout_alone(noisy: Path) -> None:
    """A pipe receives the bytes of the endpoint's response."""
    done = toolway("call", "main:app", "stock", "product=lamp", "pieces=3", cwd=noisy)

    assert done.returncode == 0, done.stderr
    assert done.stdout == '{"product":"lamp","pieces":3}\n'
    assert noises(done.stderr.splitlines()) == {
        "import", "start", "past the redirection", "descriptor", "child", "endpoint", "stop",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "member", "value"),
    [
        ("text=5", "text", "5"),
        ("text=true", "text", "true"),
        ('text="quoted"', "text", '"quoted"'),
        ("text=a=b", "text", "a=b"),
        ("text=", "text", ""),
        ("text=Ünïcode 🛋", "text", "Ünïcode 🛋"),
        ("maybe=null", "maybe", "null"),
        ("flag=true", "flag", True),
        ("either=5", "either", 5),
        ("either=five", "either", "five"),
        ('ids=["a", "b"]', "ids", ["a", "b"]),
        ("ids=null", "ids", None),
        ('free={"a": [1]}', "free", {"a": [1]}),
        ("free=word", "free", "word"),
    ],
)
def test_text_arguments_take_the_value_as_is_and_others_parse_json(
    noisy: Path, given: str, member: str, value: Any
) -> None:
    assert echoed(noisy, given)[member] == value


def test_pairs_override_the_json_object(noisy: Path) -> None:
    answer = echoed(noisy, "flag=true", "--json", '{"text": "one", "flag": false, "maybe": "two"}')

    assert answer == {"text": "one", "maybe": "two", "flag": True, "either": 0, "ids": None, "free": None}


def test_the_error_of_a_tool_is_printed_to_stderr(noisy: Path) -> None:
    done = toolway("call", "main:app", "drop", "product=lamp", cwd=noisy)

    assert done.returncode == 1
    assert done.stdout == ""
    assert "404 Not Found: no lamp here" in done.stderr.splitlines()


def test_invalid_arguments_are_an_error_of_the_tool(noisy: Path) -> None:
    done = toolway("call", "main:app", "stock", "prodct=lamp", cwd=noisy)

    assert done.returncode == 1
    assert any("'product'" in line for line in done.stderr.splitlines())


def test_the_traceback_of_a_failing_endpoint_is_logged(noisy: Path) -> None:
    """The user of the command is also the operator."""
    done = toolway("call", "main:app", "failing", cwd=noisy)

    assert done.returncode == 1
    assert "RuntimeError: a secret" in done.stderr
    assert "Reference: " in done.stderr


def test_bytes_are_described(noisy: Path) -> None:
    assert toolway("call", "main:app", "picture", cwd=noisy).stdout == "[image/png, 4 bytes]\n"


def test_json_is_indented_on_a_terminal(noisy: Path) -> None:
    ours, theirs = pty.openpty()
    command = [*TOOLWAY, "call", "main:app", "stock", "product=lamp"]
    try:
        subprocess.run(
            command,
            cwd=noisy,
            env=environment(),
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=START,
        )
        shown = os.read(ours, 4096).decode().replace("\r\n", "\n")
    finally:
        os.close(ours)
        os.close(theirs)

    assert shown == '{\n  "product": "lamp",\n  "pieces": 1\n}\n'


def test_a_tool_that_asks_its_user_fails_because_a_command_cannot_answer(tmp_path: Path) -> None:
    """The error has no state for a retry, because the state ends with the process."""
    write(tmp_path, {"main.py": ASKING})
    done = toolway("call", "main:app", "greet", cwd=tmp_path)
    assert done.returncode == 1
    assert "'elicitation' capability" in done.stderr
    assert "Toolway-State" not in done.stderr


def test_calls_carry_the_operators_credentials(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": GUARDED})

    bare = toolway("call", "main:app", "token", cwd=tmp_path)
    known = toolway("call", "main:app", "token", cwd=tmp_path, env={"TOOLWAY_AUTHORIZATION": "Bearer abc"})

    assert bare.returncode == 1
    assert known.stdout == '"abc"\n'
