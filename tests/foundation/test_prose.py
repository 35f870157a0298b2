"""The prose check of `make check`: which text it reads, and what it reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prose import FOLDERS, NOT_YET, check_file, check_text, main
from tests.support import ROOT


def spaced(sample: str) -> str:
    """Return a sample with blanks: without them, the check does not read the samples in this file."""
    return sample.replace("_", " ")


@pytest.mark.parametrize(
    ("sample", "phrase"),
    [
        ("This_is_no\n__tool.", "is_no"),
        ("See_the_guide,_too.", ",_too"),
        ("Whose_value_is_unknown_goes_first.", "Whose_value_is_unknown_goes_first."),
    ],
)
def test_a_phrase_is_found_across_line_breaks(sample: str, phrase: str) -> None:
    assert [finding.phrase for finding in check_text(spaced(sample))] == [spaced(phrase)]


@pytest.mark.parametrize(
    "text",
    [
        "The task is no longer listed.",
        "JSON stands for JavaScript Object Notation.",
        "What is a tool?",
        "The method `say` and the class ``Whoever`` are code.",
    ],
)
def test_ordinary_sentences_and_code_are_accepted(text: str) -> None:
    assert list(check_text(text)) == []


def test_comments_docstrings_and_messages_of_a_module_are_read_and_its_code_is_not(tmp_path: Path) -> None:
    lines = ('"""Say_hello."""', "#_the_catalogue", "#_of_tools", 'say={"whatever":1}', 'print(f"{say}_is_no_tool")')
    module = tmp_path / "module.py"
    module.write_text(spaced("\n".join(lines)), encoding="utf-8")
    assert [(line, phrase) for line, phrase, _ in check_file(module)] == [
        (1, "Say"),
        (2, "catalogue"),
        (5, spaced("is_no")),
    ]


def test_code_blocks_of_a_guide_are_not_read(tmp_path: Path) -> None:
    guide = tmp_path / "guide.md"
    guide.write_text(spaced("#_Title\n\n```python\n#_somebody\n```\n\nAsk_somebody.\n"), encoding="utf-8")
    assert [finding.line for finding in check_file(guide)] == [7]


def test_the_project_is_clean_except_for_existing_paths(capsys: pytest.CaptureFixture[str]) -> None:
    assert [name for name in (*FOLDERS, *NOT_YET) if not (ROOT / name).exists()] == []
    assert main([]) == 0, capsys.readouterr().out
