"""Protocol revisions are compared in one module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, KNOWN_PROTOCOL_VERSIONS

from tests.foundation.project import PACKAGE
from toolway.protocol.versions import REVISIONS

OTHER_MODULES = sorted(
    module
    for module in PACKAGE.rglob("*.py")
    if module != PACKAGE / "protocol/versions.py" and "compat" not in module.parts
)
VERSION_NAME = re.compile(r"(protocol_?)?version|MODERN|.*_PROTOCOL_VERSIONS?|.*PROTOCOL_VERSION", re.IGNORECASE)


def named(module: Path) -> str:
    return str(module.relative_to(PACKAGE))


def parse(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def version_literals(tree: ast.AST) -> Iterator[str]:
    """Yield the string constants that are a version on their own, and so are data rather than prose."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"\d{4}-\d\d-\d\d", node.value)
        ):
            yield node.value


def version_comparisons(tree: ast.AST) -> Iterator[str]:
    """Yield comparisons of a variable or an attribute named after a version, except with None."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot):
            sides = [node.left, *node.comparators]
            names = [getattr(side, "id", getattr(side, "attr", "")) for side in sides]
            if any(VERSION_NAME.fullmatch(name) for name in names):
                yield ast.unparse(node)


@pytest.mark.parametrize("module", OTHER_MODULES, ids=named)
def test_no_other_module_names_a_version(module: Path) -> None:
    assert list(version_literals(parse(module))) == []


@pytest.mark.parametrize("module", [module for module in OTHER_MODULES if "protocol" in module.parts], ids=named)
def test_no_other_module_compares_versions(module: Path) -> None:
    assert list(version_comparisons(parse(module))) == []


def test_a_comparison_is_recognized() -> None:
    tree = ast.parse(
        "context.protocol_version < MODERN\nversion in HANDSHAKE_PROTOCOL_VERSIONS\nversion == '2026-07-28'"
    )
    assert len(list(version_comparisons(tree))) == 3
    assert list(version_literals(tree)) == ["2026-07-28"]


def test_every_revision_of_the_sdk_has_an_entry() -> None:
    assert tuple(REVISIONS) == KNOWN_PROTOCOL_VERSIONS


def test_the_revisions_with_a_handshake_are_those_of_the_sdk() -> None:
    handshakes = tuple(entry.id for entry in REVISIONS.values() if not entry.is_stateless)
    assert handshakes == HANDSHAKE_PROTOCOL_VERSIONS
