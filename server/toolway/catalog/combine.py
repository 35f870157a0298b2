"""The catalogues of several applications as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from toolway.catalog.builder import Catalog
from toolway.catalog.naming import fit, hashed
from toolway.catalog.prompt import Prompt
from toolway.catalog.tool import Tool
from toolway.openapi import Operation

__all__ = ["combine_catalogs"]

_Named = TypeVar("_Named", Tool, Prompt)


def combine_catalogs(catalogs: Mapping[str, Catalog], title: str, version: str) -> Catalog:
    """Put catalogues together; the names in them get a prefix (``shop`` and ``orders``: ``shop_orders``).

    Those of tools and prompts stay unique, and within what clients take: a hash of method and path ends those that grow
    too long, and those that two prefixes lead to. Resources keep their URIs.
    """
    tools = {
        prefix: [(tool, tool.operation) for tool in catalog.tools.values()] for prefix, catalog in catalogs.items()
    }
    prompts = {
        prefix: [(prompt, prompt.tool.operation) for prompt in catalog.prompts.values()]
        for prefix, catalog in catalogs.items()
    }
    return Catalog(
        title=title,
        version=version,
        description="\n\n".join(_introduced(prefix, catalog) for prefix, catalog in catalogs.items()),
        tools=_prefixed(tools),
        skipped=tuple(skipped for catalog in catalogs.values() for skipped in catalog.skipped),
        resources=tuple(
            replace(resource, name=f"{prefix}_{resource.name}")
            for prefix, catalog in catalogs.items()
            for resource in catalog.resources
        ),
        prompts=_prefixed(prompts),
    )


def _prefixed(things: Mapping[str, list[tuple[_Named, Operation]]]) -> dict[str, _Named]:
    entries = [(prefix, *entry) for prefix, found in things.items() for entry in found]
    names = [fit(f"{prefix}_{thing.name}", operation) for prefix, thing, operation in entries]
    count = Counter(names)
    final = [
        hashed(name, operation, prefix) if count[name] > 1 else name
        for name, (prefix, _, operation) in zip(names, entries, strict=True)
    ]
    return {name: replace(thing, name=name) for name, (_, thing, _) in zip(final, entries, strict=True)}


def _introduced(prefix: str, catalog: Catalog) -> str:
    """Say to agents whose tools these are."""
    heading = f"Tools that begin with {prefix}_ belong to {catalog.title or prefix}."
    return f"{heading} {catalog.description}".rstrip()
