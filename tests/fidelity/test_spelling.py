"""Another server's way to write the same arguments is taken, and never in place of one that it advertises."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fidelity.case import Case
from tests.fidelity.spelling import spelled

NOTE = {"title": "t", "count": 1}
FILE = {"filename": "a.txt", "content_type": "text/plain", "text": "words"}


def case(arguments: dict[str, Any], **more: Any) -> Case:
    own = {key: more.pop(key) for key in list(more) if key == "spellings"}
    return Case(name="c", tool="c", arguments=arguments, method="POST", url="/c", request=more, **own)


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("written", "advertised", "wanted"),
    [
        pytest.param(case({"note": NOTE}, json=NOTE), schema(note={}), {"note": NOTE}, id="as advertised"),
        pytest.param(case({"note": NOTE}, json=NOTE), schema(title={}, count={}), NOTE, id="members side by side"),
        pytest.param(case({"id": 1, **NOTE}, json=NOTE), schema(id={}, body={}), {"id": 1, "body": NOTE}, id="one"),
        pytest.param(case({"body": [1]}, json=[1]), schema(numbers={}), {"numbers": [1]}, id="a body by another name"),
        pytest.param(
            case({"filter_by": "a"}, params={}), schema(**{"filter[by]": {}}), {"filter[by]": "a"}, id="the bare name"
        ),
        pytest.param(
            case({"id": 1, "id_body": 2}, json={"id": 2}, spellings=[{"id__path": 1, "id": 2}]),
            schema(id={}, id__path={}),
            {"id__path": 1, "id": 2},
            id="a spelling of the case",
        ),
        pytest.param(
            case({"file": FILE}), schema(file={"type": "string"}), {"file": "words"}, id="a file that is text"
        ),
        pytest.param(case({"file": FILE}), schema(file={"type": "object"}), {"file": FILE}, id="a file with metadata"),
        pytest.param(case({"note": NOTE}, json=NOTE), schema(), {"note": NOTE}, id="nothing advertised"),
        pytest.param(case({"a": 1, "x": 2}, json=NOTE), schema(title={}), {"a": 1, "x": 2}, id="a member is no body"),
    ],
)
def test_arguments_are_written_as_the_schema_names_them(written: Case, advertised: Any, wanted: Any) -> None:
    assert spelled(written, advertised) == wanted
