"""``python -m tests.prose [PATH ...]``: find wording that a native reader stumbles over, and suggest what to write.

It reads Markdown outside of code, and the docstrings, comments and messages of Python files. By default it reads the
whole project except `NOT_YET`.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support import ROOT

__all__ = ["FOLDERS", "NOT_YET", "RULES", "Finding", "check_file", "check_text", "main"]

# The folders that `make check` reads, besides the Markdown files at the top.
FOLDERS = ("agents-examples", "benchmarks", "docs", "server", "tests", "tools")
# Paths below them that are not clean yet. Remove a path here when its texts are rewritten; never add one.
NOT_YET: tuple[str, ...] = (
    "benchmarks/fidelity/RESULTS.md",
    "tests/calls",
    "tests/catalog/looking.py",
    "tests/conformance/fixtures/questions.py",
    "tests/elicitation/test_asking_over_http.py",
    "tests/fidelity",
    "tests/protocol",
)


class Rule(NamedTuple):
    """A phrase that is not used here, and what to write instead."""

    phrase: re.Pattern[str]
    instead: str


class Finding(NamedTuple):
    """One place where a rule's phrase appears."""

    line: int
    phrase: str
    instead: str


def rule(phrase: str, instead: str) -> Rule:
    """Return a rule; a blank in the phrase also matches a line break."""
    return Rule(re.compile(phrase.replace("_", r"\s+"), re.IGNORECASE), instead)


# In the phrases, "_" is a blank: this file is checked as well, and only strings with blanks count as prose.
RULES = (
    rule(
        r"(?<!there\s)\b(?:is|are|was|were)_(?:no|(?-i:none))\b(?!_(?:longer|more|less|way|need|reason|doubt|guarantee|limit)\b)",
        '"is not a ..." or "does not have a ..."',
    ),
    rule(r"\b(?:stands?|stood|standing)\b(?!_(?:for|alone|by|out)\b)", '"is", "is defined", "appears"'),
    rule(r"\b(?:says?|said|tells?|told)\b", 'the exact verb: "log", "raise", "report", "describe", "explain", "name"'),
    rule(
        r"\b(?:somebody|nobody|whoever|whatever|whichever|anybody)\b",
        'the actor: "the client", "the caller", "the operator", "any request"',
    ),
    rule(
        r"(?:\A|(?<=\.[ \n]))(?:Who|What|Whose|Whom|Which)_(?!(?:is|are|to|happens)\b)\w+_"
        r"(?:(?!\n\s*\n)[^?])*?\.(?:\s|\Z)",
        "a sentence with a subject, verb and object; a docstring begins with a verb or a noun",
    ),
    rule(r"\botherwise[.;]", '"defaults to ...", or "If not, ..." before the clause'),
    rule(r",_too(?=[.,;:)])", '"also" before the verb, or nothing'),
    rule(r"\bin_place_of\b", '"instead of"'),
    rule(r"\ba_yes\b", '"a confirmation"'),
    rule(r"\b(?:goes|went|going)_on\b", '"continues", "is still running"'),
    rule(
        r"\b(?:come|came|comes)_through\b|\btak(?:en?|es)_(?:it_|them_)?on\b|\bhand(?:s|ed)?_(?:it_|them_)?on\b",
        '"pass", "forward", "route", "handle"',
    ),
    rule(r"\bmend(?:s|ed|ing)?\b", '"fix", "repair"'),
    rule(r"\bat_the_start\b|\b(?:stops?|fails?)_the_start\b", '"at startup", "refuses to start"'),
    rule(r"\b(?:made|make|makes)_(?:ready|anew)\b", '"prepare", "create again"'),
    rule(
        r"\b(?:catalogue|behaviour|colour|licence|favour|honour|\w+(?:al|or|er|el|an|ut|gn|im)ise[ds]?)\b",
        'American spelling: "catalog", "behavior", "color", "serialize"',
    ),
)

_CODE = re.compile(r"^( *```).*?^\1|``[^`]+``|`[^`\n]+`|\bhttps?://\S+", re.MULTILINE | re.DOTALL)
_DIRECTIVE = re.compile(r"#!|# ?(?:noqa|type:|pyright|fmt|ruff)")


def check_text(text: str, first_line: int = 1) -> Iterator[Finding]:
    """Yield what the rules find in a piece of prose; code in it, in backticks, is left out."""
    prose = _CODE.sub(lambda match: re.sub(r"\S", "`", match.group()), text)
    for phrase, instead in RULES:
        for match in phrase.finditer(prose):
            line = first_line + prose.count("\n", 0, match.start())
            yield Finding(line, " ".join(match.group().split()), instead)


def check_file(path: Path) -> list[Finding]:
    """Return what the rules find in a Markdown or Python file, in the order of its lines."""
    source = path.read_text(encoding="utf-8")
    pieces = _prose_of_python(source) if path.suffix == ".py" else [(1, source)]
    return sorted({finding for line, text in pieces for finding in check_text(text, line)})


def _prose_of_python(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments, docstrings and messages of a module, with the line of each."""
    yield from _comments(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a module; those on consecutive lines are one."""
    block: list[str] = []
    first = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or _DIRECTIVE.match(token.string):
            continue
        line = token.start[0]
        if line != last + 1 and block:
            yield first, "\n".join(block)
            block = []
        first = line if not block else first
        last = line
        block.append(token.string.lstrip("# "))
    if block:
        yield first, "\n".join(block)


def _files(paths: Sequence[str]) -> Iterator[Path]:
    """Yield the Markdown and Python files at some paths, or all that are checked by default."""
    places = [ROOT / name for name in paths or FOLDERS] + ([] if paths else list(ROOT.glob("*.md")))
    left_out = [] if paths else [ROOT / name for name in NOT_YET]
    for place in places:
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.suffix in {".py", ".md"} and not any(file.is_relative_to(path) for path in left_out):
                yield file


def main(arguments: Sequence[str]) -> int:
    """Print each finding; return 1 if there are any."""
    found = [(path, finding) for path in _files(arguments) for finding in check_file(path)]
    for path, (line, phrase, instead) in found:
        print(f"{path.relative_to(ROOT)}:{line}: {phrase!r}: write {instead}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
