"""Path parameters and documented errors that the endpoints share."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator

from tools.retail.errors import Problem
from tools.retail.schemas import without_nul

__all__ = ["OrderIdPath", "UserIdPath", "problems", "text_path"]


def text_path(description: str) -> Any:
    """Return a path parameter for an id."""
    return Path(min_length=1, max_length=100, description=description)


PathText = Annotated[str, AfterValidator(without_nul)]
OrderIdPath = Annotated[
    PathText, text_path("Order id with its leading '#', such as '#W2378156'; get_user_details lists a user's orders.")
]
UserIdPath = Annotated[
    PathText,
    text_path("User id, such as 'noah_brown_6181', from find_user_id_by_email, find_user_id_by_name_zip or an order."),
]

_PROBLEMS = {
    404: "No record has the given id.",
    409: "The request conflicts with the current state; nothing was changed.",
    413: "The file is too large.",
    429: "A limit is reached; try again later.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI responses for the errors of an endpoint, except malformed requests."""
    return {status: {"model": Problem, "description": _PROBLEMS[status]} for status in statuses}
