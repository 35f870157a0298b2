"""The tool definitions of every shape of endpoint match the recorded ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.calls.shapes import make_app
from tests.catalog.looking import catalog_of
from tests.golden.onfile import compare
from toolway.catalog import Tool

FOLDER = Path(__file__).parent / "shapes"


async def test_every_shape_is_as_it_stands_on_file() -> None:
    catalog = await catalog_of(make_app())
    assert catalog.skipped == ()
    compare(catalog.tools, FOLDER)


async def test_every_schema_is_valid_and_refers_to_nothing_outside() -> None:
    for tool in (await catalog_of(make_app())).tools.values():
        for schema in (tool.input_schema, tool.output_schema, tool.wrapped_output_schema):
            if schema is not None:
                Draft202012Validator.check_schema(schema)
                assert "#/components" not in str(schema)


async def test_a_missing_file_fails_and_says_how_to_write_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools: dict[str, Tool] = dict(list((await catalog_of(make_app())).tools.items())[:2])
    monkeypatch.setenv("UPDATE_GOLDEN", "1")
    compare(tools, tmp_path / "new")
    monkeypatch.delenv("UPDATE_GOLDEN")
    compare(tools, tmp_path / "new")
    first, second = sorted((tmp_path / "new").iterdir())
    first.unlink()
    with pytest.raises(pytest.fail.Exception, match=f"not recorded: \\['{first.stem}'\\].*UPDATE_GOLDEN=1"):
        compare(tools, tmp_path / "new")
    with pytest.raises(pytest.fail.Exception, match=f"gone: \\['{second.stem}'\\]"):
        compare({}, tmp_path / "new")
    first.write_text("{}", "utf-8")
    with pytest.raises(AssertionError, match="differs from the recorded definition"):
        compare(tools, tmp_path / "new")
