"""The guides: their code runs, and their tables match the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT
from toolway import Filter, Hints, Settings
from toolway.lint import RULES, lint
from toolway.markers import agent_tool
from toolway.mounts import toolway_of

MIGRATING = ROOT / "docs" / "migrating-from-fastapi-mcp.md"  # its code imports its own application: test_migrating.py
GUIDES = sorted(set((ROOT / "docs").glob("*.md")) - {MIGRATING})
CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(guide, code) for guide in GUIDES for code in CODE.findall(guide.read_text(encoding="utf-8"))]


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:Duplicate Operation ID:UserWarning")  # the fidelity application has such a route
@pytest.mark.parametrize(("guide", "code"), BLOCKS, ids=lambda value: value.stem if isinstance(value, Path) else "")
async def test_the_code_of_a_guide_makes_an_application_that_starts(guide: Path, code: str) -> None:
    names: dict[str, object] = {"__name__": guide.stem}
    exec(compile(code, str(guide), "exec"), names)
    app = names["app"]

    async with app.router.lifespan_context(app):
        assert toolway_of(app).catalog.tools


def test_every_setting_is_documented_with_its_variable() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(TOOLWAY_\w+)`", text, re.MULTILINE))
    assert documented == {f"TOOLWAY_{name.upper()}" for name in Settings.model_fields}


def test_every_field_of_decorators_and_filters_is_shown() -> None:
    text = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    marker = set(agent_tool.__kwdefaults__)
    assert {name for name in marker if f"{name}=" not in text} == set()
    assert {name for name in Filter.__annotations__ if f'"{name}"' not in text} == set()
    assert any(f'"{name}"' in text for name in Hints.__annotations__)


def test_the_table_of_lint_rules_matches_the_code() -> None:
    text = (ROOT / "docs" / "linting.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z]\d) \| (\w+) \| (.*) \| (.*) \|$", text, re.MULTILINE)
    assert rows == [(rule.id, rule.level, rule.title, rule.why) for rule in RULES.values()]


@pytest.mark.anyio
async def test_the_example_of_the_linting_guide_breaks_no_rule() -> None:
    (code,) = (code for guide, code in BLOCKS if guide.stem == "linting")
    names: dict[str, Any] = {"__name__": "linting"}
    exec(compile(code, "linting.md", "exec"), names)
    app = names["app"]
    names["test_agents_can_use_every_endpoint"]()

    async with app.router.lifespan_context(app):
        report = lint(toolway_of(app).catalog, "warehouse")

    assert report.findings == ()
    assert [entry.reason for entry in report.suppressed] == ["there are four shelves"]
