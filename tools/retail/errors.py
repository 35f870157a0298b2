"""What the desk answers when it will not do what was asked; each message says what to do next."""

from __future__ import annotations

from typing import ClassVar

from fastapi import HTTPException
from pydantic import BaseModel, Field

__all__ = ["Busy", "Conflict", "Malformed", "NotFound", "Problem", "Refusal", "StoreError", "TooLarge", "TooMany"]


class Refusal(HTTPException):
    """A request that is answered with an error and changes nothing."""

    status: ClassVar[int]

    def __init__(self, message: str) -> None:
        super().__init__(self.status, message)


class NotFound(Refusal):
    """Nothing has the id that was given."""

    status = 404


class Conflict(Refusal):
    """The request does not fit the present state: wrong status, not enough money, not available."""

    status = 409


class Malformed(Refusal):
    """The request contradicts itself or the order that it names."""

    status = 422


class TooLarge(Refusal):
    """What was sent is more than is read."""

    status = 413


class TooMany(Refusal):
    """There is no room for more before something else goes away."""

    status = 429


class Busy(Refusal):
    """Another writer held the store for too long."""

    status = 503


class StoreError(Exception):
    """The store cannot be opened, read or written; the message is one line for the person at the keyboard."""


class Problem(BaseModel):
    """An error, in words that say what to do next."""

    detail: str = Field(description="What was wrong and what to do next.")
