"""Imports point one way: from the command line to the protocol, the calls, the catalog and the operations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foundation.project import PACKAGE
from tests.support import ROOT

# A package may import itself and the packages before it.
ROOMS = (
    "host",
    "openapi",
    "catalog",
    "elicitation",
    "calls",
    "policy",
    "code_mode",
    "results",
    "search_mode",
    "tasks",
    "protocol",
    "clients",
    "lint",
    "console",
    "cli",
)
ALL_ROOMS = frozenset(ROOMS)
BESIDE = {
    "lint": {"calls", "results", "tasks", "policy", "protocol"},
    "console": {"lint", "clients"},
}
# Modules that every package may import, and that import no package.
FLOOR = frozenset(
    {
        "headers",
        "settings_validators",
        "requirements",
        "content",
        "errors",
        "markers",
        "media_types",
        "settings",
        "sql_table",
    }
)
# Modules that combine the packages, and the modules that may import them.
COMPOSITION = frozenset({"engine", "mounts", "sources", "app", "deprecated", "testing", "__init__"})
COMPOSERS = frozenset({"__init__", "__main__", "cli", "compat", "console", "lint"})

# Modules that applications may import.
PUBLIC_MODULES = {"toolway", "toolway.content", "toolway.deprecated", "toolway.errors", "toolway.testing"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def package_of(module: Path) -> str:
    """Return the package of a module, or the name of a top-level module."""
    first = module.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_names(tree: ast.AST, module: Path) -> Iterator[str]:
    """Yield the full dotted name of every import in a module."""
    package = module.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else [])))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imported_places(module: Path) -> set[str]:
    """Return the packages and top-level modules of toolway that a module imports."""
    parts = [name.split(".") for name in imported_names(parse(module), module)]
    return {part_of_toolway(names[1:]) for names in parts if names[0] == "toolway"}


def part_of_toolway(names: list[str]) -> str:
    known = names and ((PACKAGE / names[0]).is_dir() or (PACKAGE / f"{names[0]}.py").is_file())
    return names[0] if known else "__init__"


def parse(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def allowed_places(where: str) -> set[str]:
    """Return the packages and modules that a package or a top-level module may import."""
    if where in FLOOR:
        return set(FLOOR)
    if where in COMPOSITION:
        return ALL_ROOMS | FLOOR | COMPOSITION
    below = set(ROOMS[: ROOMS.index(where) + 1]) - BESIDE.get(where, set()) if where in ALL_ROOMS else set(ROOMS)
    return below | FLOOR | ({where, *COMPOSITION} if where in COMPOSERS else set())


def loaded_on_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes that run when the module is imported: everything outside functions and type-only blocks."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not is_type_only(node):
            waiting.extend(ast.iter_child_nodes(node))


def is_type_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def distributions(names: Iterator[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def in_rooms(*rooms: str) -> list[Path]:
    return [module for module in MODULES if package_of(module) in rooms]


def named(module: Path) -> str:
    return str(module.relative_to(PACKAGE))


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_a_module_imports_only_lower_packages(module: Path) -> None:
    where = package_of(module)
    assert where in ALL_ROOMS | FLOOR | COMPOSITION | COMPOSERS, f"{where} is missing from the order of imports"
    assert imported_places(module) - allowed_places(where) == set()


@pytest.mark.parametrize("module", in_rooms("openapi", "catalog", "elicitation", "calls"), ids=named)
def test_lower_packages_do_not_import_the_sdk(module: Path) -> None:
    assert distributions(imported_names(parse(module), module)) & {"mcp", "mcp_types"} == set()


@pytest.mark.parametrize("module", in_rooms("openapi", "catalog"), ids=named)
def test_reading_an_api_imports_no_http_client_until_a_document_is_remote(module: Path) -> None:
    now = (node for node in loaded_on_import(parse(module)) if isinstance(node, ast.Import | ast.ImportFrom))
    names = (name for node in now for name in imported_names(node, module))
    assert "httpx2" not in distributions(names)


@pytest.mark.parametrize("module", in_rooms("catalog"), ids=named)
def test_the_catalog_imports_no_http_client(module: Path) -> None:
    assert "httpx2" not in distributions(imported_names(parse(module), module))


@pytest.mark.parametrize("module", sorted((ROOT / "tools").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_demo_application_imports_only_public_modules(module: Path) -> None:
    """toolway does not depend on tools/, and tools/ uses only names that any application may use."""
    imported = {name for node in ast.walk(parse(module)) for name in toolway_modules(node)}
    assert imported <= PUBLIC_MODULES


def toolway_modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
    return [name for name in names if name.partition(".")[0] == "toolway"]


def test_imports_of_every_form_are_recognized(tmp_path: Path) -> None:
    """Absolute, relative, from the package itself, and inside functions."""
    module = PACKAGE / "calls" / "example.py"
    tree = ast.parse(
        "import toolway.protocol\nfrom toolway import errors, Toolway\n"
        "from ..catalog import tool\nfrom . import invoker\n"
        "def later():\n    from toolway.policy.scopes import Scope\n"
    )
    assert set(imported_names(tree, module)) == {
        "toolway.protocol",
        "toolway.errors",
        "toolway.Toolway",
        "toolway.catalog.tool",
        "toolway.calls.invoker",
        "toolway.policy.scopes.Scope",
    }
    assert part_of_toolway(["Toolway"]) == "__init__"
    assert allowed_places("calls") == {"host", "openapi", "catalog", "elicitation", "calls", *FLOOR}
    assert "calls" not in allowed_places("elicitation")
    assert "console" not in allowed_places("clients")
    assert {"clients", "console", "app"} <= allowed_places("cli")
