"""What fastapi-mcp's users are used to: tools named by operation id, answers told in the description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from toolway.catalog.schema.definitions import Definitions
from toolway.errors import DocumentError
from toolway.openapi import Api, Operation, Response

__all__ = ["Wording"]

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Wording:
    """How an API is put into words for agents."""

    instructions: str
    """What the server says of itself."""
    all_responses: bool = False
    """Tell every documented answer, and not only the good ones when schemas are told."""
    full_schemas: bool = False
    """Tell the JSON Schema of each answer that is told."""

    def applied(self, api: Api) -> Api:
        """Return the API in these words; operations of other methods than fastapi-mcp's five are left out."""
        operations = (self._reworded(operation) for operation in api.operations if operation.method in _METHODS)
        return replace(api, description=self.instructions, operations=tuple(operations))

    def _reworded(self, operation: Operation) -> Operation:
        whole_id = replace(operation, generated_suffix="")  # nothing of the operation id is cut off then
        told = list(self._told(operation))
        if not told:
            return whole_id
        text = operation.description or operation.summary
        return replace(whole_id, description="\n\n".join(filter(None, (text, "Responses:\n" + "\n".join(told)))))

    def _told(self, operation: Operation) -> Iterator[str]:
        if not (self.all_responses or self.full_schemas):
            return
        for status, answers in groupby(operation.responses, key=lambda response: response.status):
            if self.all_responses or status.startswith("2"):
                yield from self._of_status(operation, status, list(answers))

    def _of_status(self, operation: Operation, status: str, answers: list[Response]) -> Iterator[str]:
        kinds = ", ".join(answer.media_type for answer in answers if answer.media_type)
        yield f"- {status}: {answers[0].description or 'no description'}" + (f" ({kinds})" if kinds else "")
        for answer in answers if self.full_schemas else ():
            if schema := _self_contained(operation, answer):
                yield f"  {schema}"


def _self_contained(operation: Operation, answer: Response) -> str:
    if not answer.schema:
        return ""
    try:
        definitions = Definitions(operation.components)
        schema = definitions.attach(definitions.adopt(answer.schema))
    except DocumentError:  # the catalogue says what is wrong with it, where it matters
        return ""
    return json.dumps(schema, ensure_ascii=False)
