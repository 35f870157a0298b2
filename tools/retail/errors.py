"""Error responses of the order desk; each message explains what to do next."""

from __future__ import annotations

from typing import ClassVar

from fastapi import HTTPException
from pydantic import BaseModel, Field

__all__ = ["Busy", "Conflict", "Malformed", "NotFound", "Problem", "Refusal", "StoreError", "TooLarge", "TooMany"]


class Refusal(HTTPException):
    """An error response to a request that changed nothing."""

    status: ClassVar[int]

    def __init__(self, message: str) -> None:
        super().__init__(self.status, message)


class NotFound(Refusal):
    """No record has the given id."""

    status = 404


class Conflict(Refusal):
    """The request conflicts with the current state: wrong status, not enough money, not available."""

    status = 409


class Malformed(Refusal):
    """The request contradicts itself or the order that it names."""

    status = 422


class TooLarge(Refusal):
    """The request body is too large."""

    status = 413


class TooMany(Refusal):
    """A limit is reached until something else expires."""

    status = 429


class Busy(Refusal):
    """Another writer held the store for too long."""

    status = 503


class StoreError(Exception):
    """The store cannot be opened, read or written; the message is one line for the operator."""


class Problem(BaseModel):
    """An error, with what to do next."""

    detail: str = Field(description="The problem, and how to resolve it.")
