"""A CSV file in parts: put together they are the file, and none breaks a row."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.retail.parts import count_parts, read_part

SIZE = 200
CELLS = st.lists(st.text(alphabet='a,"ü\r\n', max_size=12), min_size=2, max_size=2)


def written(rows: list[list[str]]) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["left", "right"], *rows])
    return stream.getvalue()


@given(rows=st.lists(CELLS, max_size=100))
def test_parts_are_csv_files_that_together_hold_every_row(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("parts") / "file.csv"
    path.write_text(written(rows), "utf-8", newline="")
    found: list[list[str]] = []
    count = count_parts(path, SIZE)
    for number in range(1, count + 1):
        part = read_part(path, number, SIZE)
        assert part is not None
        assert len(part) <= SIZE + len("left,right\r\n")
        header, *some = csv.reader(io.StringIO(part.decode(), newline=""))
        assert header == ["left", "right"]
        assert some or not rows
        found += some
    assert found == rows
    assert read_part(path, count + 1, SIZE) is None


def test_a_file_without_rows_has_one_part(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(written([]), "utf-8", newline="")
    assert count_parts(path, SIZE) == 1
    assert read_part(path, 1, SIZE) == b"left,right\r\n"
