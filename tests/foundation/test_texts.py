"""The texts of the project: README, changelog, and patterns that no file may contain."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.foundation.project import project_texts
from tests.servers import START
from tests.support import ROOT

ADDRESSES_OF_REGISTRIES = re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org")
PLACES_ON_ONE_MACHINE = re.compile(r"(?<![\w/.}])/(?:work|root|opt/pypi|opt/wheels)(?![\w-])")
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s]+)\)")
SECTIONS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def sleeps(source: str) -> list[int]:
    """Return the lines that call something named sleep."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return sorted(call.lineno for call in calls if ast.unparse(call.func).rpartition(".")[2] == "sleep")


@pytest.mark.parametrize("pattern", [ADDRESSES_OF_REGISTRIES, PLACES_ON_ONE_MACHINE], ids=["registry", "place"])
def test_no_file_contains_a_registry_host_or_a_local_path(pattern: re.Pattern[str]) -> None:
    found = [f"{name}: {match.group()}" for name, text in project_texts() for match in pattern.finditer(text)]
    assert found == []


def test_no_test_sleeps() -> None:
    found = {str(path.relative_to(ROOT)): sleeps(path.read_text(encoding="utf-8")) for path in modules_of_tests()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def modules_of_tests() -> list[Path]:
    return sorted((ROOT / "tests").rglob("*.py"))


def test_a_sleep_is_found_under_any_alias_of_its_module() -> None:
    assert sleeps("time.sleep(1)\nawait anyio.sleep(0)\nsleep(2)\nsleep_forever()\n") == [1, 2, 3]


def test_the_changelog_has_the_format_of_keep_a_changelog() -> None:
    text = read("CHANGELOG.md")
    assert text.startswith("# Changelog\n")
    first, *releases = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert first == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", release) for release in releases)
    assert set(re.findall(r"^### (.+)$", text, flags=re.MULTILINE)) <= SECTIONS


def test_every_section_of_the_changelog_has_entries() -> None:
    for section in re.split(r"^### ", read("CHANGELOG.md"), flags=re.MULTILINE)[1:]:
        assert re.search(r"^- \S", section, flags=re.MULTILINE), section


def test_every_make_command_of_the_readme_is_a_target() -> None:
    commands = set(re.findall(r"\bmake ([a-z]+)", read("README.md")))
    assert {"serve", "test"} <= commands
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    subprocess.run(["make", "--dry-run", *sorted(commands)], cwd=ROOT, env=environment, check=True, capture_output=True)


def test_the_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) <= 140


def test_every_link_points_to_an_existing_file_and_heading() -> None:
    pages = [name for name, _ in project_texts() if name.endswith(".md")]
    broken = [
        f"{name}: {link}" for name in pages for link in LINK.findall(read(name)) if not leads_somewhere(name, link)
    ]
    assert broken == []


def leads_somewhere(page: str, link: str) -> bool:
    """Return whether a relative link of a page names an existing file, and a heading in it."""
    name, _, anchor = link.partition("#")
    target = (ROOT / page).parent / name if name else ROOT / page
    return target.exists() and (not anchor or anchor in anchors(target.read_text(encoding="utf-8")))


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.timeout(180)  # four commands, one after the other
def test_the_commands_of_the_readme_work_on_its_application(tmp_path: Path) -> None:
    (code,) = blocks(read("README.md"), "python")
    (tmp_path / "warehouse.py").write_text(code, encoding="utf-8")
    commands = re.findall(r"^toolway ((?:list|call|lint|config) .*?) *(?:#.*)?$", read("README.md"), flags=re.MULTILINE)
    printed = [toolway(command, tmp_path) for command in commands]
    assert "get_stock" in printed[0]
    assert '"pieces":3' in printed[1].replace(" ", "")
    assert "1 tool" in printed[2]
    assert "warehouse:app" in printed[3]


def toolway(arguments: str, folder: Path) -> str:
    """Return what a toolway command prints when it runs in that folder."""
    command = [str(Path(sys.executable).with_name("toolway")), *arguments.split()]
    return subprocess.check_output(command, cwd=folder, text=True, timeout=START)
