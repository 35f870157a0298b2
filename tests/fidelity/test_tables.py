"""Every known failure of other servers is asked for by cases of this suite."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.fidelity.apps import APPLICATIONS
from tests.fidelity.tables import CALLS, SHAPES, Row

CASES = {
    f"{chapter.title}: {name}"
    for chapters in APPLICATIONS.values()
    for chapter in chapters
    for name in (*(case.name for case in chapter.cases), *chapter.left_out)
}


@pytest.mark.parametrize(("table", "length"), [(CALLS, 92), (SHAPES, 36)], ids=["calls", "shapes"])
def test_every_row_of_a_table_has_cases_of_the_suite(table: Mapping[int, Row], length: int) -> None:
    assert list(table) == list(range(1, length + 1))
    assert [number for number, (_, *cases) in table.items() if not cases] == []
    assert [case for _, *cases in table.values() for case in cases if case not in CASES] == []
