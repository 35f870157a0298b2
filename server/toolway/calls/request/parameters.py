"""Reading an endpoint's parameters from what a request has in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.dependencies import utils
from pydantic_core import PydanticUndefined

__all__ = ["Parameters"]

_utils: Any = utils  # whose functions are FastAPI's own affair, in releases that were read


class Parameters:
    """The parameters of one place.

    Most are single values under a single name. To find that out anew in each request takes FastAPI as long as the rest.
    """

    def __init__(self, fields: Sequence[Any], place: str) -> None:
        names = [(field, _only_name(field)) for field in fields]
        self._fields = fields
        self._place = place
        self._named = [(field, name) for field, name in names if name is not None]
        self.is_simple = len(self._named) == len(fields)
        """Whether it is enough to know one text by each name."""

    def read(self, received: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Return the values by the endpoint's own names, and what is wrong with others."""
        if not self.is_simple:
            return utils.request_params_to_args(self._fields, received)
        values: dict[str, Any] = {}
        wrong: list[Any] = []
        for field, name in self._named:
            value, errors = _utils._validate_value_with_model_field(  # noqa: SLF001
                field=field, value=received.get(name, PydanticUndefined), values=values, loc=(self._place, name)
            )
            if errors:
                wrong += errors
            else:
                values[field.name] = value
        return values, wrong


def _only_name(field: Any) -> str | None:
    """The one name under which a single value is sent."""
    is_single = not (
        _utils._is_json_field(field)  # noqa: SLF001
        or _utils._get_param_model(field) is not None  # noqa: SLF001
        or _utils.field_annotation_is_sequence(field.field_info.annotation)
    )
    names = _utils._get_param_aliases(field)  # noqa: SLF001
    return names[0][1] if is_single and len(names) == 1 else None
