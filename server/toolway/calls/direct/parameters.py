"""Endpoint parameters of one location, read from the values of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.dependencies import utils
from pydantic_core import PydanticUndefined

__all__ = ["Parameters"]

_utils: Any = utils  # its private functions are covered by fingerprints


class Parameters:
    """The parameters of one location.

    Most are single values under a single name. FastAPI determines that anew for each request, which takes as long as
    the rest.

    Args:
        fields: FastAPI's fields of the parameters.
        location: the location as it appears in errors: ``path``, ``query``, ``header`` or ``cookie``.
    """

    def __init__(self, fields: Sequence[Any], location: str) -> None:
        names = [(field, _single_name(field)) for field in fields]
        self._fields = fields
        self._location = location
        self._named = [(field, name) for field, name in names if name is not None]
        self.is_simple = len(self._named) == len(fields)
        """Whether each parameter is read from one text under one name."""

    def read(self, received: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Return the values by the endpoint's own parameter names, and the validation errors."""
        if not self.is_simple:
            return utils.request_params_to_args(self._fields, received)
        values: dict[str, Any] = {}
        errors: list[Any] = []
        for field, name in self._named:
            value, found = _utils._validate_value_with_model_field(  # noqa: SLF001
                field=field, value=received.get(name, PydanticUndefined), values=values, loc=(self._location, name)
            )
            if found:
                errors += found
            else:
                values[field.name] = value
        return values, errors


def _single_name(field: Any) -> str | None:
    """Return the only name under which a single value is sent; None for other fields."""
    is_single = not (
        _utils._is_json_field(field)  # noqa: SLF001
        or _utils._get_param_model(field) is not None  # noqa: SLF001
        or _utils.field_annotation_is_sequence(field.field_info.annotation)
    )
    names = _utils._get_param_aliases(field)  # noqa: SLF001
    return names[0][1] if is_single and len(names) == 1 else None
