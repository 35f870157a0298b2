"""Combination of the catalogs of several applications."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from toolway.catalog.builder import Catalog
from toolway.catalog.naming import MAX_LENGTH, hash_name, shorten_name
from toolway.catalog.prompt import Prompt
from toolway.catalog.tool import EndpointTool
from toolway.openapi import Operation

__all__ = ["combine_catalogs"]

_Named = TypeVar("_Named", EndpointTool, Prompt)


def combine_catalogs(
    catalogs: Mapping[str, Catalog], title: str, version: str, *, max_name_length: int = MAX_LENGTH
) -> Catalog:
    """Return one catalog in which each name has the prefix of its application (``shop_orders``).

    Names of tools and prompts remain unique and within the limits of clients: a name that is too long, or that two
    prefixes produce, ends in a hash of its method and path. Resources keep their URIs.
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
        description="\n\n".join(_introduce(prefix, catalog) for prefix, catalog in catalogs.items()),
        tools=_add_prefixes(tools, max_name_length),
        skipped=tuple(skipped for catalog in catalogs.values() for skipped in catalog.skipped),
        resources=tuple(
            replace(resource, name=f"{prefix}_{resource.name}")
            for prefix, catalog in catalogs.items()
            for resource in catalog.resources
        ),
        prompts=_add_prefixes(prompts, max_name_length),
    )


def _add_prefixes(things: Mapping[str, list[tuple[_Named, Operation]]], max_length: int) -> dict[str, _Named]:
    entries = [(prefix, *entry) for prefix, found in things.items() for entry in found]
    names = [shorten_name(f"{prefix}_{thing.name}", max_length) for prefix, thing, _ in entries]
    count = Counter(names)
    final = [
        hash_name(name, operation, prefix, max_length=max_length) if count[name] > 1 else name
        for name, (prefix, _, operation) in zip(names, entries, strict=True)
    ]
    return {name: replace(thing, name=name) for name, (_, thing, _) in zip(final, entries, strict=True)}


def _introduce(prefix: str, catalog: Catalog) -> str:
    """Return a sentence about the application that a prefix belongs to, followed by its description."""
    heading = f"Tools that begin with {prefix}_ belong to {catalog.title or prefix}."
    return f"{heading} {catalog.description}".rstrip()
