"""Helpers that run the command line: a folder with an application, and a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.servers import START

TOOLWAY = (sys.executable, "-m", "toolway")
PATIENCE = 30

NOISY = '''
"""An application that prints wherever it can."""

import os
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel

print("noise: import")


class Stock(BaseModel):
    product: str
    pieces: int


class Echo(BaseModel):
    text: str = ""
    maybe: str | None = None
    flag: bool = False
    either: int | str = 0
    ids: list[str] | None = None
    free: Any = None


@asynccontextmanager
async def lifespan(app):
    print("noise: start")
    sys.__stdout__.write("noise: past the redirection\\n")
    os.write(1, b"noise: descriptor\\n")
    subprocess.run(["echo", "noise: child"], check=True)
    yield
    print("noise: stop")


app = FastAPI(title="Warehouse", lifespan=lifespan)


@app.get("/stock/{product}")
async def stock(product: str, pieces: int = 1, kind: Literal["new", "used"] = "new") -> Stock:
    """Return how many pieces there are.

    Counts every night."""
    print("noise: endpoint")
    return Stock(product=product, pieces=pieces)


@app.post("/echo")
async def echo(given: Echo) -> Echo:
    return given


@app.delete("/stock/{product}")
async def drop(product: str) -> None:
    raise HTTPException(404, f"no {product} here")


@app.get("/picture")
async def picture() -> Response:
    return Response(b"\\x89PNG", media_type="image/png")


@app.get("/process")
async def process() -> int:
    return os.getpid()


@app.get("/failing")
async def failing() -> None:
    raise RuntimeError("a secret")
'''


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without settings of toolway."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("TOOLWAY_")}
    return {**plain, **(extra or {})}


def toolway(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = START
) -> subprocess.CompletedProcess[str]:
    """Run a command and return its output and exit code."""
    return subprocess.run(
        [*TOOLWAY, *map(str, arguments)],
        cwd=cwd,
        env=environment(env),
        input="",
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
    )


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder, and return it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def noises(lines: Iterable[str]) -> set[str]:
    """Return what the noisy application printed."""
    return {line.strip().removeprefix("noise: ") for line in lines if line.startswith("noise: ")}
