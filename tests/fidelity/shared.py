"""Models and values that several chapters use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel


class Color(str, Enum):  # noqa: UP042 - as people write it
    red = "red"
    green = "green"


class Note(BaseModel):
    title: str
    note: str | None = None
    count: int = 1


@dataclass
class Point:
    x: int
    y: int = 0


KEY = "0f8fad5b-d9cb-469f-a165-70867728950e"


NOTE = {"title": "t", "note": None, "count": 2}


BYTES = bytes(range(256))
